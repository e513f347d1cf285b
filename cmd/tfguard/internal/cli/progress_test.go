package cli

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"
)

func TestProgress(t *testing.T) {
	for _, c := range []struct {
		name     string
		terminal bool
		quiet    bool
		env      map[string]string
		works    time.Duration
		want     string
	}{
		{"long work", true, false, nil, 1600 * time.Millisecond, clearLine + "tfguard: checking a (1s)" + clearLine + "tfguard: checking a (1s)" + clearLine + "tfguard: checking a (1s)" + clearLine},
		{"short work", true, false, nil, 900 * time.Millisecond, ""},
		{"no terminal", false, false, nil, time.Minute, ""},
		{"--quiet", true, true, nil, time.Minute, ""},
		{"a dumb terminal", true, false, map[string]string{"TERM": "dumb"}, time.Minute, ""},
		{"a CI system", true, false, map[string]string{"CI": "true"}, time.Minute, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var out bytes.Buffer
				o := &rendering{quiet: c.quiet, streams: Streams{Err: &out, ErrTerminal: c.terminal, Env: func(name string) (string, bool) {
					v, ok := c.env[name]
					return v, ok
				}}}
				p := o.startProgress()
				p.say("checking a")
				time.Sleep(c.works)
				synctest.Wait()
				p.end()
				if got := out.String(); got != c.want {
					t.Errorf("got %q, want %q", got, c.want)
				}
			})
		})
	}
}
