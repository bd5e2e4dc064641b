package client

import (
	"github.com/go-poe/poe/component/smtp"
	"github.com/go-poe/poe/filter"
)

// dataAnswered begins to send the text.
func (d *delivery) dataAnswered(r *smtp.Reply) {
	if !d.accepts(r, r.Code == smtp.CodeStartMail) {
		d.refused(StageData, r)
		return
	}
	d.expect(StageFinal, d.final)
	d.expected[0].end = unended // until then it can be refused, and not accepted
	d.stage = StageText
	d.sending = true
	d.text = newTextFilter(d.m)
	d.rw.SetOutputFilter(d.text)
	d.moreText()
}

// moreText sends on until there is enough in the wheel for now. The next LowEvent, or what is read
// of the text meanwhile, continues.
func (d *delivery) moreText() {
	for d.sending && d.writeErr == nil && !d.body.busy && !d.rw.High() {
		d.nextChunk()
	}
}

// gotChunk sends one piece of the text, and after the last the dot that ends it.
func (d *delivery) gotChunk(c chunk) {
	d.octets += int64(len(c.p))
	if d.writeErr != nil || !d.send(filter.Record{Bytes: c.p}) {
		return
	}
	if c.eof && !d.endText() {
		return
	}
	d.alive()
	d.progress(d.stage, "", "")
}

func (d *delivery) endText() bool {
	if !d.send(filter.Record{Value: filter.End}) {
		return false
	}
	d.rw.SetOutputFilter(filter.NewStream(filter.StreamOptions{}))
	if d.m.TransactionLog {
		d.record("-> ", d.text.logged())
	}
	d.text = nil
	d.body.close()
	d.sending = false
	d.stage = StageFinal
	d.expected[0].end = d.put
	return true
}

// final is the server's word on the message.
func (d *delivery) final(r *smtp.Reply) {
	if !d.accepts(r, r.Positive()) {
		d.refused(StageFinal, r)
		return
	}
	d.reply = r
	if !d.m.Compat {
		d.report(nil)
	}
	d.quit()
}

// quit says goodbye. With Compat, the answer to that decides.
func (d *delivery) quit() {
	d.command(StageQuit, smtp.AppendVerb(nil, smtp.VerbQUIT), "", d.goodbye)
	if d.done {
		d.wait(min(d.m.Timeout, quitTimeout))
	}
}

func (d *delivery) goodbye(r *smtp.Reply) {
	if !d.done && !d.accepts(r, true) {
		d.refused(StageQuit, r)
		return
	}
	d.report(nil)
	d.close()
}
