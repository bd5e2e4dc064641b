package pluggable

import (
	"fmt"
	"iter"
	"slices"
)

// A Pipeline holds the plugins of a component, in the order in which they see its events. A plugin
// is known by its alias.
//
// POE: POE::Component::Pluggable, POE::Component::Pluggable::Pipeline.
type Pipeline struct {
	opts    Options
	entries []*entry // never changed, only replaced, so that Process may go through it
	adding  *entry   // whose PluginRegister is being called
}

// An entry is a plugin in a pipeline.
type entry struct {
	alias   string
	plugin  Plugin
	wants   map[string]map[string]bool // by type and plain name
	told    bool                       // Notify knows that it is there
	removed bool
}

// New returns a pipeline without plugins.
//
// POE: _pluggable_init.
func New(opts Options) *Pipeline {
	opts.check()
	return &Pipeline{opts: opts}
}

// Push adds a plugin behind all others: it is asked to register, and only if it does is anything
// changed. It returns ErrAliasTaken, or why the plugin could not register, of which Notify is told,
// too.
//
// POE: plugin_add, push, which return how many there are.
func (p *Pipeline) Push(alias string, plugin Plugin) error {
	return p.insert(alias, plugin, func() (int, error) { return len(p.entries), nil })
}

// Unshift adds a plugin ahead of all others. See Push.
//
// POE: unshift.
func (p *Pipeline) Unshift(alias string, plugin Plugin) error {
	return p.insert(alias, plugin, func() (int, error) { return 0, nil })
}

// InsertBefore adds a plugin right ahead of another, or returns ErrNoPlugin. See Push.
//
// POE: insert_before.
func (p *Pipeline) InsertBefore(other, alias string, plugin Plugin) error {
	return p.insert(alias, plugin, func() (int, error) { return p.Index(other) })
}

// InsertAfter adds a plugin right behind another, or returns ErrNoPlugin. See Push.
//
// POE: insert_after.
func (p *Pipeline) InsertAfter(other, alias string, plugin Plugin) error {
	return p.insert(alias, plugin, func() (int, error) {
		i, err := p.Index(other)
		return i + 1, err
	})
}

// insert adds a plugin at the place that where finds: before the plugin registers, to see whether
// there is one, and afterwards, when the plugin may have changed the pipeline.
func (p *Pipeline) insert(alias string, plugin Plugin, where func() (int, error)) error {
	if _, err := where(); err != nil {
		return err
	}
	if p.find(alias) != nil {
		return fmt.Errorf("plugin %q: %w", alias, ErrAliasTaken)
	}
	x, err := p.register(alias, plugin)
	if err != nil {
		return err
	}
	i, err := where()
	if err == nil && p.find(alias) != nil {
		err = fmt.Errorf("plugin %q: %w", alias, ErrAliasTaken)
	}
	if err != nil {
		p.unregister(x)
		return err
	}
	p.entries = slices.Insert(slices.Clone(p.entries), i, x)
	p.added(x)
	return nil
}

// added tells that a plugin is in the pipeline.
func (p *Pipeline) added(x *entry) {
	x.told = true
	p.notify(PluginAdd, x, nil)
}

// register asks a plugin to register. It is not in the pipeline yet.
func (p *Pipeline) register(alias string, plugin Plugin) (*entry, error) {
	if alias == "" || plugin == nil {
		panic("pluggable: Push without an alias or a plugin")
	}
	x := &entry{alias: alias, plugin: plugin, wants: make(map[string]map[string]bool)}
	outer := p.adding
	p.adding = x
	err := isolate(func() error { return plugin.PluginRegister(p, alias) })
	p.adding = outer
	if err != nil {
		err = fmt.Errorf("plugin %q cannot register: %w", alias, err)
		p.notify(PluginError, x, err)
		return nil, err
	}
	return x, nil
}

// unregister tells a plugin that it is not in the pipeline any more.
func (p *Pipeline) unregister(x *entry) {
	x.removed = true
	err := isolate(func() error {
		x.plugin.PluginUnregister(p, x.alias)
		return nil
	})
	if err != nil {
		p.notify(PluginError, x, fmt.Errorf("plugin %q cannot unregister: %w", x.alias, err))
	}
}

// Remove removes a plugin, and returns it, or ErrNoPlugin. One that panics over that is removed all
// the same.
//
// POE: plugin_del, remove.
func (p *Pipeline) Remove(alias string) (Plugin, error) {
	i, err := p.Index(alias)
	if err != nil {
		return nil, err
	}
	return p.remove(i), nil
}

func (p *Pipeline) remove(i int) Plugin {
	x := p.entries[i]
	p.entries = slices.Delete(slices.Clone(p.entries), i, i+1)
	p.unregister(x)
	if x.told {
		p.notify(PluginDel, x, nil)
	}
	return x.plugin
}

// Pop removes the last plugin, and returns it. ok is false if there is none.
//
// POE: pop.
func (p *Pipeline) Pop() (alias string, plugin Plugin, ok bool) { return p.take(p.Len() - 1) }

// Shift removes the first plugin, and returns it. ok is false if there is none.
//
// POE: shift.
func (p *Pipeline) Shift() (alias string, plugin Plugin, ok bool) { return p.take(0) }

func (p *Pipeline) take(i int) (alias string, plugin Plugin, ok bool) {
	if p.Len() == 0 {
		return "", nil, false
	}
	alias = p.entries[i].alias
	return alias, p.remove(i), true
}

// Replace puts a plugin in the place of another, which is removed once the new one has registered.
// The alias may stay the same. It returns ErrNoPlugin, ErrAliasTaken, or why the plugin could not
// register, and then everything is as it was.
//
// POE: replace, which removes the old one first.
func (p *Pipeline) Replace(old, alias string, plugin Plugin) error {
	if _, err := p.Index(old); err != nil {
		return err
	}
	if alias != old && p.find(alias) != nil {
		return fmt.Errorf("plugin %q: %w", alias, ErrAliasTaken)
	}
	x, err := p.register(alias, plugin)
	if err != nil {
		return err
	}
	i, err := p.Index(old)
	if err == nil && alias != old && p.find(alias) != nil {
		err = fmt.Errorf("plugin %q: %w", alias, ErrAliasTaken)
	}
	if err != nil { // while it registered, the pipeline has changed
		p.unregister(x)
		return err
	}
	before := p.entries[i]
	p.entries = slices.Clone(p.entries)
	p.entries[i] = x
	p.unregister(before)
	if before.told {
		p.notify(PluginDel, before, nil)
	}
	if !x.removed {
		p.added(x)
	}
	return nil
}

// BumpUp moves a plugin n places up, nearer to the first, but not beyond that, and returns where it
// is then, from 0, or ErrNoPlugin. With n below 0 it moves it down.
//
// POE: bump_up, which goes beyond the first.
func (p *Pipeline) BumpUp(alias string, n int) (int, error) {
	from, err := p.Index(alias)
	if err != nil {
		return 0, err
	}
	last := p.Len() - 1
	to := from - min(max(n, from-last), from)
	x := p.entries[from]
	list := slices.Delete(slices.Clone(p.entries), from, from+1)
	p.entries = slices.Insert(list, to, x)
	return to, nil
}

// BumpDown moves a plugin n places down, nearer to the last. See BumpUp.
//
// POE: bump_down, which goes beyond the last.
func (p *Pipeline) BumpDown(alias string, n int) (int, error) {
	return p.BumpUp(alias, -max(n, -p.Len()))
}

// Get returns a plugin, or ErrNoPlugin.
//
// POE: plugin_get, get.
func (p *Pipeline) Get(alias string) (Plugin, error) {
	x := p.find(alias)
	if x == nil {
		return nil, fmt.Errorf("plugin %q: %w", alias, ErrNoPlugin)
	}
	return x.plugin, nil
}

// Index returns the place of a plugin, from 0, or ErrNoPlugin.
//
// POE: get_index.
func (p *Pipeline) Index(alias string) (int, error) {
	i := slices.IndexFunc(p.entries, func(x *entry) bool { return x.alias == alias })
	if i < 0 {
		return 0, fmt.Errorf("plugin %q: %w", alias, ErrNoPlugin)
	}
	return i, nil
}

// find returns the entry of an alias, or nil.
func (p *Pipeline) find(alias string) *entry {
	for _, x := range p.entries {
		if x.alias == alias {
			return x
		}
	}
	return nil
}

// Len returns how many plugins there are.
func (p *Pipeline) Len() int { return len(p.entries) }

// All returns the plugins by their aliases, in their order: those that there are when it begins.
//
// POE: plugin_list, plugin_order.
func (p *Pipeline) All() iter.Seq2[string, Plugin] {
	return func(yield func(string, Plugin) bool) {
		for _, x := range p.entries {
			if !yield(x.alias, x.plugin) {
				return
			}
		}
	}
}

// Close removes all plugins, the last one first. The pipeline can be used again.
//
// POE: _pluggable_destroy.
func (p *Pipeline) Close() {
	for range p.Len() { // and no more, for a plugin that adds another as it goes
		p.Pop()
	}
}
