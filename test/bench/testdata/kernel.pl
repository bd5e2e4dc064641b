# The work of bench's kernel measurements, done with Perl's POE. The first argument names the work, the
# second says how many operations; it prints the nanoseconds of processor time for one of them.
use strict;
use warnings;
use POE;

my ($what, $n) = @ARGV;
my $began;

sub begin { $began = (times)[0] + (times)[1] }
sub done { printf "%.1f\n", ((times)[0] + (times)[1] - $began) * 1e9 / shift }

my %work = (
  yield => sub {
    my $left = $n;
    POE::Session->create(inline_states => {
      _start => sub { begin(); $_[KERNEL]->yield(tick => 1) },
      tick   => sub { $_[KERNEL]->yield(tick => 1) if --$left },
    });
    POE::Kernel->run;
    done($n);
  },
  post => sub {
    my ($left, @s) = ($n);
    for my $i (0, 1) {
      $s[$i] = POE::Session->create(inline_states => {
        _start => sub { $_[KERNEL]->alias_set("s$i") },
        ball   => sub { --$left > 0 ? $_[KERNEL]->post($s[1 - $i], ball => 1) : $_[KERNEL]->alias_remove("s$i") },
      })->ID;
    }
    begin();
    POE::Kernel->post($s[0], ball => 1);
    POE::Kernel->run;
    done($n);
  },
  call => sub {
    my $to = POE::Session->create(inline_states => {
      _start => sub { $_[KERNEL]->alias_set('to') },
      hello  => sub { },
    })->ID;
    POE::Session->create(inline_states => {
      _start => sub { $_[KERNEL]->yield('go') },
      go     => sub { begin(); $_[KERNEL]->call($to, hello => 1) for 1 .. $n; done($n) },
    });
    POE::Kernel->run;
  },
  burst => sub {
    POE::Session->create(inline_states => {
      _start => sub { $_[KERNEL]->yield('go') },
      go     => sub { begin(); $_[KERNEL]->yield(tick => 1) for 1 .. $n },
      tick   => sub { },
    });
    POE::Kernel->run;
    done($n);
  },
  delay_set => sub {
    POE::Session->create(inline_states => {
      _start => sub { $_[KERNEL]->yield('go') },
      go     => sub {
        my $k = $_[KERNEL];
        $k->delay_set(ring => 3600 + ($_ * 7919 % 1000)) for 1 .. 1000;
        begin();
        $k->delay_set(ring => 3600 + ($_ * 7919 % $n)) for 1 .. $n;
        done($n);
        $k->alarm_remove_all;
      },
      ring => sub { },
    });
    POE::Kernel->run;
  },
  fire => sub {
    POE::Session->create(inline_states => {
      _start => sub { $_[KERNEL]->yield('go') },
      go     => sub {
        my $k = $_[KERNEL];
        $k->delay_set(ring => ($_ * 7919 % $n) * 1e-9) for 1 .. $n;
        begin();
      },
      ring => sub { },
    });
    POE::Kernel->run;
    done($n);
  },
  session => sub {
    my $left = $n;
    POE::Session->create(inline_states => {
      _start => sub { begin(); $_[KERNEL]->yield('go') },
      go     => sub {
        for (1 .. 100) { POE::Session->create(inline_states => { _start => sub { } }) if $left-- > 0 }
        $_[KERNEL]->yield('go') if $left > 0;
      },
    });
    POE::Kernel->run;
    done($n);
  },
);
($work{$what} or die "unknown work: $what\n")->();
