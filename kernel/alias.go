package kernel

import (
	"fmt"
	"slices"
)

// AliasSet gives the session a name to which others may post. It keeps the session alive until the
// whole program is idle. AliasSet returns ErrAliasTaken if another session has the name.
//
// POE: alias_set.
func (s *Session) AliasSet(name Alias) error {
	k := s.kernel
	if name == "" {
		return k.failed(fmt.Errorf("alias without a name: %w", ErrInvalid))
	}
	if s.ended() {
		return k.noSession(s)
	}
	switch owner := k.aliases[name]; owner {
	case s:
		return nil
	case nil:
		k.aliases[name] = s
		t := s.takes()
		t.aliases = append(t.aliases, name)
		s.keep(hasAlias)
		return nil
	default:
		return k.failed(fmt.Errorf("alias %q: %w", string(name), ErrAliasTaken))
	}
}

// AliasRemove takes a name of the session away. It returns ErrNoAlias if nobody has the name, and
// ErrNotOwner if another session has it.
//
// POE: alias_remove.
func (s *Session) AliasRemove(name Alias) error {
	k := s.kernel
	switch owner := k.aliases[name]; owner {
	case s:
		delete(k.aliases, name)
		t := s.taken
		i := slices.Index(t.aliases, name)
		t.aliases = slices.Delete(t.aliases, i, i+1)
		s.drop(hasAlias)
		return nil
	case nil:
		return k.failed(fmt.Errorf("alias %q: %w", string(name), ErrNoAlias))
	default:
		return k.failed(fmt.Errorf("alias %q: %w", string(name), ErrNotOwner))
	}
}

// AliasList returns the names of the session, sorted.
//
// POE: alias_list.
func (s *Session) AliasList() []Alias {
	list := slices.Clone(s.names())
	slices.Sort(list)
	return list
}

// names returns the aliases of the session, the first it was given first.
func (s *Session) names() []Alias {
	if s.taken == nil {
		return nil
	}
	return s.taken.aliases
}

// AliasResolve returns the session that to names, or ErrNoSession.
//
// POE: alias_resolve, ID_id_to_session.
func (k *Kernel) AliasResolve(to Target) (*Session, error) { return k.resolve(to) }
