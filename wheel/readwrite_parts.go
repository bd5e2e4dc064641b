package wheel

import (
	"github.com/go-poe/poe/filter"
	"github.com/go-poe/poe/kernel"
)

// parts are what the options of a ReadWrite have become: what is the wheel's alone, and what it may
// have in common with others. That is never changed, but replaced; see change.
type parts struct {
	InputHandle, OutputHandle kernel.Handle
	InputFilter, OutputFilter filter.Filter
	*common
}

// common is what wheels share that have the same terms.
type common struct {
	terms

	in   Input // what one of them hands over
	busy bool  // that has begun, and has not ended
}

// terms are the options that are neither handles nor filters.
type terms struct {
	InputEvent, FlushedEvent, ErrorEvent string
	HighEvent, LowEvent                  string
	SecuredEvent, ClosedEvent            string

	HighMark, LowMark, MaxOutput, BlockSize int
}

// terms returns the terms of the options, which are checked.
func (o *ReadWriteOptions) terms() terms {
	return terms{
		InputEvent: o.InputEvent, FlushedEvent: o.FlushedEvent, ErrorEvent: o.ErrorEvent,
		HighEvent: o.HighEvent, LowEvent: o.LowEvent,
		SecuredEvent: o.SecuredEvent, ClosedEvent: o.ClosedEvent,
		HighMark: o.HighMark, LowMark: o.LowMark, MaxOutput: o.MaxOutput, BlockSize: o.BlockSize,
	}
}

// Share lets the wheels that are made with copies of o have in common what is the same for all: all
// but handles and filters. For thousands of wheels that is a good part of their memory. It changes
// nothing else; a copy may be changed afterwards, and then it has less in common. The wheels have to
// be of one kernel.
func (o *ReadWriteOptions) Share() {
	o.fill()
	o.shared = &common{terms: o.terms()}
}

// parts returns the parts of the options, which are checked.
func (o *ReadWriteOptions) parts() parts {
	p := parts{o.InputHandle, o.OutputHandle, o.InputFilter, o.OutputFilter, o.shared}
	if mine := o.terms(); p.common == nil || p.terms != mine {
		p.common = &common{terms: mine}
	}
	return p
}

// change returns terms that are the wheel's alone, to be changed.
func (p *parts) change() *terms {
	p.common = &common{terms: p.terms}
	return &p.terms
}
