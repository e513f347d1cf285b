package cli

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// progress says on a terminal what takes long, on one line that it takes away again.
// The zero value says nothing.
type progress struct {
	w     io.Writer
	begun time.Time
	stop  chan struct{}
	done  sync.WaitGroup

	mu    sync.Mutex
	words string
	shown bool
}

// How long work may take before it is told, and how often the line is written.
const (
	patience = time.Second
	interval = 250 * time.Millisecond
)

// clearLine takes away what a line of a terminal holds.
const clearLine = "\r\x1b[K"

// startProgress begins to tell progress on standard error if that is a terminal where
// a line can be taken away, and nobody asked for quiet.
func (o *rendering) startProgress() *progress {
	p := &progress{}
	term, _ := o.streams.Env("TERM")
	if !o.streams.ErrTerminal || o.quiet || term == "dumb" || o.streams.set("CI") {
		return p
	}
	p.w, p.begun, p.stop = o.streams.Err, time.Now(), make(chan struct{})
	p.done.Go(func() {
		tick := time.NewTicker(interval)
		defer tick.Stop()
		for {
			select {
			case <-p.stop:
				return
			case now := <-tick.C:
				p.show(now.Sub(p.begun))
			}
		}
	})
	return p
}

// say sets what is being done.
func (p *progress) say(words string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.words = words
}

func (p *progress) show(since time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if since < patience || p.words == "" {
		return
	}
	p.shown = true
	fmt.Fprintf(p.w, "%stfguard: %s (%ds)", clearLine, p.words, int(since.Seconds()))
}

// clear takes the line away, for something else to be written.
func (p *progress) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shown {
		p.shown = false
		fmt.Fprint(p.w, clearLine)
	}
}

// end ends the telling and takes the line away.
func (p *progress) end() {
	if p.stop != nil {
		close(p.stop)
		p.done.Wait()
		p.stop = nil
	}
	p.clear()
}
