package kernel

import "fmt"

// adopt makes c the youngest child of s. It keeps s alive.
func (s *Session) adopt(c *Session) {
	c.parent = s
	c.previousSibling, c.nextSibling = s.lastChild, nil
	if s.lastChild == nil {
		s.firstChild = c
	} else {
		s.lastChild.nextSibling = c
	}
	s.lastChild = c
	s.children++
	s.keep(hasChildren)
}

// disown takes c out of the children of s.
func (s *Session) disown(c *Session) {
	if c.previousSibling == nil {
		s.firstChild = c.nextSibling
	} else {
		c.previousSibling.nextSibling = c.nextSibling
	}
	if c.nextSibling == nil {
		s.lastChild = c.previousSibling
	} else {
		c.nextSibling.previousSibling = c.previousSibling
	}
	c.previousSibling, c.nextSibling = nil, nil
	s.children--
	s.drop(hasChildren)
}

// family returns s and all its descendants in the order in which a signal goes to them: the deepest
// generation first, in each the youngest first, s last.
func (s *Session) family() []*Session {
	list := []*Session{s}
	for i := 0; i < len(list); i++ {
		for c := list[i].firstChild; c != nil; c = c.nextSibling {
			list = append(list, c)
		}
	}
	for i, j := 0, len(list)-1; i < j; i, j = i+1, j-1 {
		list[i], list[j] = list[j], list[i]
	}
	return list
}

// tellFamily sends s an event about its parent or a child, now. The root is not told.
func (k *Kernel) tellFamily(s *Session, name string, args ...any) {
	if s == nil || s == k.root || s.ended() {
		return
	}
	e := k.pool.get()
	e.Session, e.Sender, e.Name = s, k.root, name
	e.setArgs(args)
	_ = k.dispatch(e) // what it panics with becomes a signal
	k.pool.put(e)
}

// DetachMyself makes s a child of the root. Its parent hears that it lost a child, and s hears of
// its new parent, before that. It returns ErrNotChild if s is a child of the root already.
//
// POE: detach_myself.
func (s *Session) DetachMyself() error {
	if s.ended() {
		return s.kernel.noSession(s)
	}
	return s.kernel.detach(s)
}

// DetachChild makes a child of s one of the root. See DetachMyself. It returns ErrNoSession if
// there is no such session, and ErrNotChild if it is not a child of s.
//
// POE: detach_child.
func (s *Session) DetachChild(child Target) error {
	c, err := s.kernel.resolve(child)
	if err != nil {
		return err
	}
	if c.parent != s {
		return s.kernel.failed(fmt.Errorf("%v is not a child of %v: %w", c, s, ErrNotChild))
	}
	return s.kernel.detach(c)
}

func (k *Kernel) detach(c *Session) error {
	parent := c.parent
	if parent == k.root || c == k.root {
		return k.failed(fmt.Errorf("%v is a child of the kernel: %w", c, ErrNotChild))
	}
	if c.known {
		k.tellFamily(parent, Child, ChildLose, c, nil)
	}
	k.tellFamily(c, Parent, parent, k.root)
	if c.parent == parent {
		parent.disown(c)
		k.root.adopt(c)
	}
	return nil
}
