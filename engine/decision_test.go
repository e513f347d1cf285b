package engine_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/tfguard/tfguard/engine"
)

func TestVerdict(t *testing.T) {
	var zero engine.Verdict
	if zero != engine.ImplicitDeny {
		t.Errorf("the zero verdict: got %v, want implicitDeny", zero)
	}
	for v, word := range map[engine.Verdict]string{implicit: "implicitDeny", explicit: "explicitDeny", allowed: "allowed", unknown: "unknown"} {
		text, err := json.Marshal(v)
		if err != nil || string(text) != `"`+word+`"` || v.String() != word {
			t.Errorf("got %s and %v (%v), want %s", text, v, err, word)
		}
		var back engine.Verdict
		if err := json.Unmarshal(text, &back); err != nil || back != v {
			t.Errorf("%s: got %v (%v)", text, back, err)
		}
	}
	var v engine.Verdict
	if err := v.UnmarshalText([]byte("Allowed")); err == nil || !strings.Contains(err.Error(), `"Allowed" is no verdict`) {
		t.Errorf("got %v and %v, want an error", v, err)
	}
}

// Long lists of values are cut in reasons.
func TestReasonsAreShort(t *testing.T) {
	tc := test{
		principal: user, want: implicit,
		identity: []string{`{"Effect":"Allow","Action":["a:1","a:2","a:3","a:4","a:5","a:6","a:7"],"Resource":"*"}`},
		because:  []string{"identity[0]:1 Allow notApplies (Action wanted a:1, a:2, a:3, a:4, a:5, a:6, … got s3:GetObject)"},
	}
	tc.run(t)
}
