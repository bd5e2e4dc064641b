package wheel

import (
	"errors"
	"fmt"
	"io"

	"github.com/go-poe/poe/filter"
	"github.com/go-poe/poe/kernel"
)

// DefaultMaxOutput is how many bytes a ReadWrite holds for a peer that does not read.
const DefaultMaxOutput = 64 << 20

// mostNested is how many handlers of one wheel's records may run within each other. How many could
// otherwise is for the peer to say, who sends as many records at once as a block has room for.
const mostNested = 16

// What Put may return, besides what went wrong with the output before, and ErrClosed.
var (
	// ErrOutputFull reports a record that would make the output longer than MaxOutput.
	ErrOutputFull = errors.New("wheel: too much output waits to be written")

	// ErrOutputShut reports a record that was put after ShutdownOutput. It is never written.
	ErrOutputShut = errors.New("wheel: output is shut down")
)

// ReadWriteOptions are the options of a ReadWrite. Handle has no default, nor have InputHandle and
// OutputHandle, which take its place.
type ReadWriteOptions struct {
	Handle       kernel.Handle // for both directions; the wheel closes it
	InputHandle  kernel.Handle // to read from, where that is not Handle; the wheel closes it
	OutputHandle kernel.Handle // to write to, where that is not Handle; the wheel closes it

	Filter       filter.Filter // for both directions, the wheel's alone; nil means lines
	InputFilter  filter.Filter // to read with; nil means Filter
	OutputFilter filter.Filter // to write with; nil means Filter

	InputEvent   string // *Input: a record came. Without it, nothing is read
	FlushedEvent string // ID: the last of the output is written
	ErrorEvent   string // *Error: reading or writing failed; without it, the wheel closes then
	HighEvent    string // ID: so much waits to be written that it reached HighMark; it is posted
	LowEvent     string // ID: after that, no more than LowMark is left
	SecuredEvent string // *Secured: the handshake of a TLS is over; see StartTLS

	// ClosedEvent: ID. The wheel has closed itself: after Finish, or because there is no ErrorEvent.
	// It is posted, as the last event of the wheel; neither Close nor Detach sends it.
	ClosedEvent string

	HighMark  int // bytes, no more than MaxOutput; 0 means no marks
	LowMark   int // bytes, less than HighMark
	MaxOutput int // bytes; 0 means DefaultMaxOutput
	BlockSize int // bytes that are read at once, at most and by default 64 KiB

	shared *common // by Share
}

// lines is what the wheels that are given no filter have clones of.
var lines = filter.NewLine(filter.LineOptions{})

// fill fills in the numbers that were left out.
func (o *ReadWriteOptions) fill() {
	if o.MaxOutput == 0 {
		o.MaxOutput = DefaultMaxOutput
	}
}

// check panics if the programmer made a mistake, and fills in what was left out.
func (o *ReadWriteOptions) check() {
	o.fill()
	switch {
	case o.Handle != nil && (o.InputHandle != nil || o.OutputHandle != nil):
		panic("wheel: ReadWriteOptions has a Handle, and InputHandle or OutputHandle")
	case o.Handle == nil && (o.InputHandle == nil || o.OutputHandle == nil):
		panic("wheel: ReadWriteOptions has no Handle")
	case o.MaxOutput < 0 || o.BlockSize < 0:
		panic("wheel: ReadWriteOptions has a size below 0")
	case o.HighMark == 0 && (o.HighEvent != "" || o.LowEvent != "" || o.LowMark != 0):
		panic("wheel: ReadWriteOptions has no HighMark")
	case o.HighMark != 0:
		checkMarks("ReadWriteOptions", o.HighMark, o.LowMark, o.MaxOutput)
	}
	checkOneWay(o.InputHandle)
	checkOneWay(o.OutputHandle)
	if o.Handle != nil {
		o.InputHandle, o.OutputHandle = o.Handle, o.Handle
	}
	if o.Filter == nil && (o.InputFilter == nil || o.OutputFilter == nil) {
		o.Filter = lines.Clone()
	}
	if o.InputFilter == nil {
		o.InputFilter = o.Filter
	}
	if o.OutputFilter == nil {
		o.OutputFilter = o.Filter
	}
}

// checkMarks panics if the output cannot cross the marks in both directions.
func checkMarks(where string, high, low, maxOutput int) {
	switch {
	case high <= 0 || low < 0 || low >= high:
		panic("wheel: " + where + ": LowMark is not below HighMark")
	case high > maxOutput:
		panic("wheel: " + where + ": HighMark is above MaxOutput")
	}
}

// A ReadWrite reads records from a handle, and writes records to it.
//
// All that is put during a turn of the kernel is written at its end, at once as far as the handle
// takes it, and the rest as the handle becomes ready for more.
//
// POE: POE::Wheel::ReadWrite.
type ReadWrite struct {
	opts parts

	// These stand together to take little room: there may be thousands of wheels.
	delivering uint8 // how many handlers of records run, each within the one before
	reading    bool  // the input is watched, or paused
	inPaused   bool
	inDone     bool // it ended, or failed, or was shut down
	settling   bool // the output is written at the end of the turn
	blocked    bool // the handle takes no more for now
	high       bool
	highTold   bool        // by HighEvent
	marking    bool        // HighEvent is in the kernel's queue, under the name mark
	finishing  bool        // close once the output is written
	halfClose  bool        // and CloseWrite, likewise
	wants      kernel.Mode // what the layer waits for
	opening    bool        // the layer takes no data yet
	readingOn  bool        // again is in the kernel's queue

	out      []byte // the output; what is before sent is written
	sent     int
	messages int
	outErr   error // why nothing can be written any more
	layer    Layer // the handle, if it is one

	ready kernel.HandlerFunc // w.outputReady; nil before it is needed
	few   *few

	base
}

// few is what few wheels need.
type few struct {
	id          any    // the ID, as an argument
	mark, again string // the wheel's own events that go through the kernel's queue
}

// rare returns the place for what few wheels need.
func (w *ReadWrite) rare() *few {
	if w.few == nil {
		w.few = new(few)
	}
	return w.few
}

// tellID is tell with the wheel's ID, which becomes an argument only once.
func (w *ReadWrite) tellID(event string) {
	if event == "" {
		return
	}
	f := w.rare()
	if f.id == nil {
		f.id = w.id
	}
	_ = w.tell(event, f.id)
}

// NewReadWrite begins to read on behalf of owner. The wheel works until Close. If it cannot begin,
// it has closed its handles. The error is that of Session.SelectRead, or kernel.ErrNoSession if
// owner has ended.
func NewReadWrite(owner *kernel.Session, opts ReadWriteOptions) (*ReadWrite, error) {
	opts.check()
	w := &ReadWrite{base: newBase(readWrite, owner), opts: opts.parts()}
	w.owner.AtEnd(w)
	w.nameMark()
	if opts.InputEvent == "" {
		w.hold()
	}
	if l, ok := w.opts.InputHandle.(Layer); ok {
		w.standOn(l)
	}
	err := w.watchInput()
	if owner.Ended() {
		err = kernel.ErrNoSession
	}
	if err != nil {
		w.Close()
		return nil, err
	}
	return w, nil
}

// wantsInput reports whether there is an event for what comes, and the input has not ended.
func (w *ReadWrite) wantsInput() bool { return w.opts.InputEvent != "" && !w.inDone }

// watchInput reads as long as the owner, or the layer, wants to have what comes.
func (w *ReadWrite) watchInput() error {
	want := (w.wantsInput() || w.wants&kernel.Read != 0) && !w.closed
	if want == w.reading {
		return nil
	}
	w.reading = want
	if !want {
		w.hold()
		return w.owner.SelectRead(w.opts.InputHandle, "")
	}
	err := w.owner.SelectFunc(w.opts.InputHandle, kernel.Read, "ReadWrite read", w.readable)
	if err != nil {
		w.reading = false
		return err
	}
	w.pauseInput(w.inPaused)
	w.release()
	return nil
}

// readable reads one chunk, and hands over the records that it completes.
func (w *ReadWrite) readable(e *kernel.Event) {
	if w.layer != nil && !w.advance() {
		return
	}
	buf := e.Kernel.ReadBuffer()
	lender := filter.LenderOf(w.opts.InputFilter)
	carried := lender.Carry(buf)
	room := buf[carried:]
	if w.opts.BlockSize > 0 && w.opts.BlockSize < len(room) {
		room = room[:w.opts.BlockSize]
	}
	n, err := w.opts.InputHandle.Read(room)
	if n > 0 {
		w.decode(&lender, buf[:carried+n])
	}
	if err != nil && err != kernel.ErrAgain && !w.inDone && !w.closed {
		w.inputFailed(err)
	}
	if w.layer != nil && !w.closed {
		w.advance()
		w.readOn()
	}
}

// decode hands over the records that p completes. The buffer that p is in serves other wheels, too.
func (w *ReadWrite) decode(lender *filter.Lender, p []byte) {
	defer lender.Reclaim()
	lender.Lend(p)
	w.deliver()
}

// deliver hands over the records that the input filter holds.
//
// Each record goes to a handler, which may change the filter or close the wheel. That is why the
// loop asks the wheel, and not variables of its own, what to do next. A pause holds back the next
// chunk, not the records of this one.
func (w *ReadWrite) deliver() {
	shared := w.opts.common
	if shared.busy {
		shared = new(common) // the handler that changes the filter still has the other's Input
	}
	in := &shared.in
	in.Wheel, shared.busy = w.id, true
	w.delivering++
	defer func() {
		in.Record, shared.busy = filter.Record{}, false
		w.delivering--
	}()
	for more := true; more && !w.closed && w.wantsInput() && !w.owner.Ended(); {
		event := w.opts.InputEvent
		w.owner.CallWhile(event, in, func() bool {
			if w.closed || w.inDone || w.opts.InputEvent != event {
				return false
			}
			var err error
			in.Record, more, err = w.opts.InputFilter.Next()
			if err != nil {
				w.inputFailed(err)
			}
			return more
		})
	}
}

// inputFailed stops reading, at the end of the input or where it went wrong. A peer that says no
// more may still wait for the answer.
func (w *ReadWrite) inputFailed(err error) {
	w.inDone = true
	_ = w.watchInput()
	switch {
	case w.opts.ErrorEvent != "":
		_ = w.tell(w.opts.ErrorEvent, &Error{Op: "read", Err: err, Wheel: w.id})
	case errors.Is(err, io.EOF):
		w.Finish()
	default:
		w.closeItself()
	}
}

// Put writes p, as one record. See PutRecord.
//
// POE: put.
func (w *ReadWrite) Put(p []byte) error { return w.PutRecord(filter.Record{Bytes: p}) }

// PutString is Put for a string.
func (w *ReadWrite) PutString(s string) error { return w.Put([]byte(s)) }

// PutRecord encodes r with the output filter and has it written at the end of the turn. It keeps
// nothing of r. The error says why r will not be written: ErrOutputFull, ErrOutputShut, ErrClosed,
// what went wrong with the output earlier, or what the filter has against r.
func (w *ReadWrite) PutRecord(r filter.Record) error {
	switch {
	case w.closed || w.finishing:
		return ErrClosed
	case w.halfClose:
		return ErrOutputShut
	case w.outErr != nil && w.outErr != ErrOutputShut:
		return w.outErr
	}
	if w.out == nil {
		w.out = w.owner.Kernel().TakeBuffer()
	}
	w.compact()
	out, err := w.opts.OutputFilter.Append(w.out, r)
	switch {
	case err != nil:
		err = fmt.Errorf("wheel: cannot encode the record: %w", err)
	case len(out)-w.sent > w.opts.MaxOutput:
		err = ErrOutputFull
	case len(out) > len(w.out):
		w.out = out
		w.messages++
		err = w.outErr // after ShutdownOutput it stays where it is, and counts
	}
	if len(w.out) == 0 {
		w.dropOutput()
	}
	if err == nil {
		w.grown()
	}
	return err
}

// compact moves the output to the start of its buffer when most of that is written.
func (w *ReadWrite) compact() {
	if w.sent > 0 && w.sent >= len(w.out)-w.sent {
		n := copy(w.out, w.out[w.sent:])
		w.out, w.sent = w.out[:n], 0
	}
}

// grown sees to it that the output is written, and that HighEvent comes if there is too much of it.
func (w *ReadWrite) grown() {
	n := w.OutOctets()
	if n > 0 && !w.blocked {
		w.settleOutput()
	}
	if w.opts.HighMark == 0 || w.high || n < w.opts.HighMark {
		return
	}
	w.high, w.highTold = true, false
	if w.opts.HighEvent != "" && !w.marking {
		w.marking = true
		w.owner.Yield(w.few.mark)
	}
}

// settleOutput has the output written at the end of the turn.
func (w *ReadWrite) settleOutput() {
	if !w.settling {
		w.settling = true
		w.owner.SettleFunc("ReadWrite settle", w.whenReady())
	}
}

// marked is when HighEvent has had its turn.
func (w *ReadWrite) marked(*kernel.Event) {
	w.marking = false
	if w.high {
		w.tellHigh()
	}
}

// tellHigh sends HighEvent, once for each time that the output reaches HighMark.
func (w *ReadWrite) tellHigh() {
	if !w.highTold {
		w.highTold = true
		w.tellID(w.opts.HighEvent)
	}
}

// outputReady is the end of the turn, or when the handle takes more.
func (w *ReadWrite) outputReady(*kernel.Event) {
	w.settling = false
	w.Flush()
}

// whenReady returns outputReady, always the same.
func (w *ReadWrite) whenReady() kernel.HandlerFunc {
	if w.ready == nil {
		w.ready = w.outputReady
	}
	return w.ready
}

// Flush writes now what the handle takes now, and does not wait for the end of the turn. What the
// wheel has to tell of that comes before Flush returns.
//
// POE: flush.
func (w *ReadWrite) Flush() {
	if !w.closed {
		w.flush()
	}
}

func (w *ReadWrite) flush() {
	w.writeOut()
	if w.layer != nil {
		w.advanceOut()
	}
	blocked := w.wants&kernel.Write != 0 || w.layer == nil && w.OutOctets() > 0
	switch {
	case w.closed:
		return
	case w.outErr != nil:
		w.finish()
		return
	case !w.watchOutput(blocked):
		return
	}
	done := w.written() && w.messages > 0
	if done {
		w.dropOutput()
	}
	if w.high && w.OutOctets() <= w.opts.LowMark {
		w.tellLow()
	}
	if !w.closed && w.written() {
		w.finish()
		if done {
			w.tellID(w.opts.FlushedEvent)
		}
	}
}

// written reports whether all output has left.
func (w *ReadWrite) written() bool { return w.OutOctets() == 0 && w.wants&kernel.Write == 0 }

// writeOut writes what the handle takes.
func (w *ReadWrite) writeOut() {
	for w.outErr == nil && w.sent < len(w.out) {
		n, err := w.opts.OutputHandle.Write(w.out[w.sent:])
		w.sent += n
		if err == kernel.ErrAgain {
			return
		}
		if err != nil {
			w.outputFailed(err)
		}
	}
}

// tellLow sends LowEvent. If HighEvent had no turn yet, it comes first: who were to stop when
// there is too much already would never go on.
func (w *ReadWrite) tellLow() {
	w.tellHigh()
	if !w.closed && w.high && w.OutOctets() <= w.opts.LowMark {
		w.high = false
		w.tellID(w.opts.LowEvent)
	}
}

// watchOutput waits for the handle to take more, or not. It reports whether that is possible.
func (w *ReadWrite) watchOutput(blocked bool) bool {
	if blocked == w.blocked {
		return true
	}
	w.blocked = blocked
	event := ""
	if blocked {
		event = "ReadWrite write"
	}
	err := w.owner.SelectFunc(w.opts.OutputHandle, kernel.Write, event, w.whenReady())
	if err != nil {
		w.blocked = false
		w.outputFailed(err)
		return false
	}
	return true
}

// dropOutput gives the buffer back.
func (w *ReadWrite) dropOutput() {
	w.owner.Kernel().GiveBuffer(w.out)
	w.out, w.sent, w.messages = nil, 0, 0
}

// outputFailed stops writing, and forgets what cannot be written any more. Where a layer has not
// even begun, nothing can be read either.
func (w *ReadWrite) outputFailed(err error) {
	op := "write"
	if w.opening {
		op = "handshake"
		w.opening, w.inDone = false, true
		_ = w.watchInput()
	}
	w.outErr = &Error{Op: op, Err: err, Wheel: w.id, Lost: w.OutOctets()}
	w.watchOutput(false)
	w.dropOutput()
	w.high, w.halfClose = false, false
	if w.opts.ErrorEvent == "" || w.finishing {
		w.closeItself()
	}
	_ = w.tell(w.opts.ErrorEvent, w.outErr)
}

// finish does what waited for the output to be written. A layer has something to say before it is
// closed, and that may have to wait, too.
func (w *ReadWrite) finish() {
	if w.halfClose || w.finishing && w.layer != nil && w.outErr == nil {
		w.halfClose = false
		w.outErr = ErrOutputShut
		_ = w.opts.OutputHandle.CloseWrite() // a peer that is gone has nothing to be told
		if w.layer != nil && !w.opening {
			w.advance()
		}
	}
	if w.finishing && w.wants&kernel.Write == 0 {
		w.closeItself()
	}
}

// OutOctets returns how many bytes are put and not yet written.
//
// POE: get_driver_out_octets.
func (w *ReadWrite) OutOctets() int { return len(w.out) - w.sent }

// OutMessages returns how many records were put since the output was last all written.
//
// POE: get_driver_out_messages, which does not count those of them that are written.
func (w *ReadWrite) OutMessages() int { return w.messages }

// High reports whether the output reached HighMark, and is not yet down to LowMark.
//
// POE: what put returns.
func (w *ReadWrite) High() bool { return w.high }

// SetMarks changes HighMark and LowMark. It panics where the options would. What the output has
// reached by now is looked at when it changes next.
//
// POE: set_high_mark, set_low_mark.
func (w *ReadWrite) SetMarks(high, low int) {
	checkMarks("SetMarks", high, low, w.opts.MaxOutput)
	t := w.opts.change()
	t.HighMark, t.LowMark = high, low
}

// PauseInput leaves what comes in where it is, so that the peer has to wait. The records that were
// read already still arrive.
//
// POE: pause_input.
func (w *ReadWrite) PauseInput() { w.pauseInput(true) }

// ResumeInput reads on.
//
// POE: resume_input.
func (w *ReadWrite) ResumeInput() { w.pauseInput(false) }

func (w *ReadWrite) pauseInput(paused bool) {
	w.inPaused = paused
	if !w.reading {
		return
	}
	if paused && w.wants&kernel.Read == 0 {
		_ = w.owner.SelectPauseRead(w.opts.InputHandle)
	} else {
		_ = w.owner.SelectResumeRead(w.opts.InputHandle)
		w.readOn()
	}
}

// ShutdownInput reads no more, and tells the system so. What has come in is dropped.
//
// POE: shutdown_input.
func (w *ReadWrite) ShutdownInput() {
	if w.closed || w.inDone {
		return
	}
	w.inDone = true
	_ = w.watchInput()
	_ = w.opts.InputHandle.CloseRead() // nobody waits for what this may say
}

// ShutdownOutput tells the peer, once all output is written, that no more will come. Reading goes
// on. What is put from now on is not written.
//
// POE: shutdown_output, which drops what is not written.
func (w *ReadWrite) ShutdownOutput() {
	if w.closed || w.outErr != nil {
		return
	}
	w.halfClose = true
	if w.written() {
		w.finish()
	}
}

// InputFilter returns the filter that reads. It is the wheel's.
func (w *ReadWrite) InputFilter() filter.Filter { return w.opts.InputFilter }

// OutputFilter returns the filter that writes. It is the wheel's.
func (w *ReadWrite) OutputFilter() filter.Filter { return w.opts.OutputFilter }

// SetFilter changes the filter for both directions. See SetInputFilter.
//
// POE: set_filter.
func (w *ReadWrite) SetFilter(f filter.Filter) {
	w.SetOutputFilter(f)
	w.SetInputFilter(f)
}

// SetOutputFilter changes the filter that writes, for what is put from now on.
//
// POE: set_output_filter.
func (w *ReadWrite) SetOutputFilter(f filter.Filter) { w.opts.OutputFilter = f }

// SetInputFilter changes the filter that reads. What the old one holds goes to the new one, and the
// records that it finds there arrive before SetInputFilter returns; but where handlers of records
// change the filter within each other, 16 deep, those arrive after the last of them has returned.
// The old filter is not told, and holds it still: to go back to one like it, take a Clone.
//
// POE: set_input_filter.
func (w *ReadWrite) SetInputFilter(f filter.Filter) {
	if f == w.opts.InputFilter {
		return
	}
	pending := w.opts.InputFilter.Pending()
	w.opts.InputFilter = f
	if len(pending) > 0 && !w.inDone {
		f.Feed(pending)
		if w.delivering < mostNested { // otherwise those who deliver already go on with them
			w.deliver()
		}
	}
}

// SetInputEvent changes the event for what comes in; with "" nothing is read until there is one
// again. The records that were read already, and had no event, arrive before SetInputEvent
// returns. A pause goes on. The error is that of Session.SelectRead.
//
// POE: event, which ends a pause.
func (w *ReadWrite) SetInputEvent(name string) error {
	w.opts.change().InputEvent = name
	err := w.watchInput()
	if w.delivering == 0 {
		w.deliver()
	}
	return err
}

// SetFlushedEvent changes the event for the end of the output.
func (w *ReadWrite) SetFlushedEvent(name string) { w.opts.change().FlushedEvent = name }

// SetErrorEvent changes the event for what goes wrong.
func (w *ReadWrite) SetErrorEvent(name string) { w.opts.change().ErrorEvent = name }

// SetHighEvent changes the event for output that reaches HighMark. It panics with a name but without
// marks.
//
// POE: event.
func (w *ReadWrite) SetHighEvent(name string) {
	w.checkMarked("SetHighEvent", name)
	w.opts.change().HighEvent = name
	w.nameMark()
}

// nameMark adds the event of the wheel's own that HighEvent needs.
func (w *ReadWrite) nameMark() {
	if w.opts.HighEvent == "" || w.few != nil && w.few.mark != "" {
		return
	}
	w.rare().mark = w.state("mark", w.marked)
}

// SetLowEvent changes the event for output that is down to LowMark. It panics with a name but without
// marks.
//
// POE: event.
func (w *ReadWrite) SetLowEvent(name string) {
	w.checkMarked("SetLowEvent", name)
	w.opts.change().LowEvent = name
}

func (w *ReadWrite) checkMarked(where, name string) {
	if name != "" && w.opts.HighMark == 0 {
		panic("wheel: " + where + ": there is no HighMark")
	}
}

// InputHandle returns the handle that is read. It is the wheel's.
func (w *ReadWrite) InputHandle() kernel.Handle { return w.opts.InputHandle }

// OutputHandle returns the handle that is written to. It is the wheel's.
func (w *ReadWrite) OutputHandle() kernel.Handle { return w.opts.OutputHandle }

// Finish closes the wheel once all output is written: at once if that is so. Until then nothing
// comes in any more. When it is written, FlushedEvent comes, or, when it cannot be, ErrorEvent, and
// after that, in any case, ClosedEvent.
func (w *ReadWrite) Finish() {
	if w.closed {
		return
	}
	w.inDone = true
	_ = w.watchInput()
	w.finishing = true
	if w.written() || w.outErr != nil {
		w.finish()
	}
}

// Close ends the wheel, now, and closes its handles. Output that is not written is lost. No event
// comes from the wheel after that. A second Close does nothing.
//
// POE: the end of the wheel's last reference.
func (w *ReadWrite) Close() {
	if w.closed {
		return
	}
	w.detach()
	_ = w.opts.InputHandle.Close() // nobody waits for what this may say
	if w.opts.OutputHandle != w.opts.InputHandle {
		_ = w.opts.OutputHandle.Close()
	}
}

// closeItself is Close where the owner did not call it.
func (w *ReadWrite) closeItself() {
	if w.closed {
		return
	}
	w.Close()
	if w.opts.ClosedEvent != "" {
		w.owner.Yield(w.opts.ClosedEvent, w.id)
	}
}

// Detach ends the wheel, but leaves its handles open, for somebody else. It returns what the wheel
// has read and not delivered. Output that is not written is lost.
func (w *ReadWrite) Detach() (pending []byte) {
	if w.closed {
		return nil
	}
	pending = append(pending, w.opts.InputFilter.Pending()...)
	w.detach()
	return pending
}

// detach takes the wheel off its owner and its handles.
func (w *ReadWrite) detach() {
	_ = w.owner.SelectRead(w.opts.InputHandle, "")
	_ = w.owner.SelectWrite(w.opts.OutputHandle, "")
	w.reading, w.blocked = false, false
	w.dropOutput()
	var late []string
	if w.marking {
		late = append(late, w.few.mark)
	}
	if w.readingOn {
		late = append(late, w.few.again)
	}
	w.close(w, late...)
}
