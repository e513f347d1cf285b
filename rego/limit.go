package rego

import (
	"context"
	"runtime"
	"runtime/metrics"
	"sync"
	"time"
)

// A watch ends an evaluation at its limits.
type watch struct {
	cancel context.CancelFunc
	done   chan struct{}

	mu  sync.Mutex
	why error
}

// limit bounds what runs under the context it returns.
func limit(ctx context.Context, timeout time.Duration, memory uint64) (context.Context, *watch) {
	w := &watch{done: make(chan struct{})}
	ctx, w.cancel = context.WithCancel(ctx)
	if timeout > 0 || memory > 0 {
		go w.run(timeout, memory)
	}
	return ctx, w
}

// interval is that between two looks at the heap.
const interval = 20 * time.Millisecond

func (w *watch) run(timeout time.Duration, memory uint64) {
	start, before := time.Now(), heap()
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-w.done:
			return
		case <-tick.C:
		}
		if timeout > 0 && time.Since(start) >= timeout {
			w.end(timeError(timeout))
			return
		}
		if memory > 0 && heap() > before+memory {
			runtime.GC() // garbage is not what is bounded
			if heap() > before+memory {
				w.end(memoryError(memory))
				return
			}
		}
	}
}

func (w *watch) end(why error) {
	w.mu.Lock()
	w.why = why
	w.mu.Unlock()
	w.cancel()
}

// stop ends the watch.
func (w *watch) stop() {
	close(w.done)
	w.cancel()
}

// exceeded returns the limit that was met, nil for none.
func (w *watch) exceeded() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.why
}

// heap returns how many bytes objects take that live or are not collected yet.
func heap() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
