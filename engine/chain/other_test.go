package chain_test

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/tfguard/tfguard/engine/chain"
)

// beside makes a world the other of a run; what has the same address is the same.
func beside(w *world) *chain.Other {
	return &chain.Other{
		World:     w,
		Principal: func(p *chain.Principal) string { return cmp.Or(p.Address, p.StandIn) },
		Target:    func(t *chain.Target) string { return cmp.Or(t.Address, t.ARN.String()) },
	}
}

// networkWorld has a bucket with a condition, and one without; a role reads both.
func networkWorld(t *testing.T, condition string) *world {
	t.Helper()
	w := newWorld(t)
	w.role(t, "reader", "", statement("Allow", "", "s3:GetObject", "*", ""))
	w.bucket(t, "data", statement("Deny", everyone, "s3:GetObject", "*", condition))
	w.bucket(t, "plain")
	return w
}

// Both worlds are replayed from the same networks, and only the calls on the bucket
// whose policy changes are.
func TestOtherWorld(t *testing.T) {
	office := networkWorld(t, `{"NotIpAddress":{"aws:SourceIp":["203.0.113.0/24"]}}`)
	for _, test := range []struct {
		name, after string
		want        []string
	}{
		{"all addresses", `{"NotIpAddress":{"aws:SourceIp":["0.0.0.0/0"]}}`, []string{
			"direct-corporate from 203.0.113.1: allowed, allowed",
			"direct-internet from 198.51.100.1: explicitDeny, allowed", "direct-internet from 2001:db8::1: explicitDeny, explicitDeny",
		}},
		{"inside another range", `{"NotIpAddress":{"aws:SourceIp":["203.0.0.0/16"]}}`, []string{
			"direct-corporate from 203.0.0.1: explicitDeny, allowed", "direct-corporate from 203.0.113.1: allowed, allowed",
			"direct-internet from 198.51.100.1: explicitDeny, explicitDeny",
		}},
		{"private ranges are no source", `{"NotIpAddress":{"aws:SourceIp":["203.0.113.0/24","10.0.0.0/8"]}}`, []string{
			"direct-corporate from 203.0.113.1: allowed, allowed", "direct-internet from 198.51.100.1: explicitDeny, explicitDeny",
		}},
		{"an exemption", `{"NotIpAddress":{"aws:SourceIp":["203.0.113.0/24"]},"StringNotEquals":{"aws:SourceVpce":"vpce-1"}}`, []string{
			"direct-corporate from 203.0.113.1: allowed, allowed", "direct-internet from 198.51.100.1: explicitDeny, explicitDeny",
			"direct-vpc-endpoint from another VPC endpoint: explicitDeny, explicitDeny", "direct-vpc-endpoint from vpce-1: explicitDeny, allowed",
		}},
		{"the same", `{"NotIpAddress":{"aws:SourceIp":["203.0.113.0/24"]}}`, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			after := networkWorld(t, test.after)
			verdicts := map[string][]string{}
			for _, sides := range [][2]*world{{office, after}, {after, office}} {
				for _, r := range chain.Run(sides[0], chain.Options{Other: beside(sides[1])}).Replays {
					if r.Target.Address == "bucket.plain" {
						t.Errorf("%s is replayed on a bucket that stays as it is", r.Chain.ID)
					}
					if r.Principal.Address == "role.reader" && r.Target.Address == "bucket.data" && r.Action == "s3:GetObject" {
						key := r.Chain.ID + " from " + r.From
						verdicts[key] = append(verdicts[key], r.Verdict.String())
					}
				}
			}
			var got []string
			for _, key := range slices.Sorted(maps.Keys(verdicts)) {
				direct := strings.HasPrefix(key, "direct-")
				if name := test.name; direct && (name == "an exemption" || !strings.HasPrefix(key, "direct-vpc")) {
					got = append(got, fmt.Sprintf("%s: %s", key, strings.Join(verdicts[key], ", ")))
				}
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got %q", got)
			}
		})
	}
}

// Networks that the user names are the corporate ones, whatever policies say.
func TestOtherWorldOfNamedNetworks(t *testing.T) {
	before, after := networkWorld(t, `{"NotIpAddress":{"aws:SourceIp":["203.0.113.0/24"]}}`), networkWorld(t, `{"NotIpAddress":{"aws:SourceIp":["203.0.0.0/16"]}}`)
	for _, w := range []*world{before, after} {
		w.env.Networks = []chain.Network{{Name: "office", CIDRs: []netip.Prefix{netip.MustParsePrefix("203.0.113.64/26")}}}
	}
	var got []string
	for _, r := range chain.Run(after, chain.Options{Chains: []string{"direct-corporate", "direct-internet"}, Other: beside(before)}).Replays {
		if r.Principal.Address == "role.reader" && r.Target.Address == "bucket.data" && r.Action == "s3:GetObject" {
			got = append(got, r.Chain.ID+" from "+r.From)
		}
	}
	want := []string{
		"direct-corporate from 203.0.113.65",
		"direct-internet from 198.51.100.1", "direct-internet from 203.0.113.1", "direct-internet from 203.0.0.1",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

// Calls are replayed from a bounded number of networks, and a note says so.
func TestOtherWorldIsBounded(t *testing.T) {
	var worlds [2]*world
	for i := range worlds {
		w := newWorld(t)
		var statements []string
		for n := range 70 + i {
			statements = append(statements, statement("Deny", everyone, "s3:PutObject", "*", fmt.Sprintf(`{"IpAddress":{"aws:SourceIp":"100.20.%d.0/24"}}`, n)))
		}
		w.bucket(t, "data", statements...)
		worlds[i] = w
	}
	result := chain.Run(worlds[1], chain.Options{Other: beside(worlds[0])})
	if !slices.ContainsFunc(result.Notes, func(note string) bool { return strings.Contains(note, "more networks") }) {
		t.Errorf("notes: %q", result.Notes)
	}
}

// A run stays bounded by folding, and folds only what is alike in both worlds.
func TestOtherWorldFolded(t *testing.T) {
	var before, after world
	for i, w := range []*world{&before, &after} {
		*w = *newWorld(t)
		for n := range 6 {
			w.role(t, fmt.Sprintf("reader%d", n), "", statement("Allow", "", "s3:GetObject", "*", ""))
			ranges := `"203.0.113.0/24"`
			if i == 1 && n%2 == 0 {
				ranges += `,"100.20.0.0/16"`
			}
			w.bucket(t, fmt.Sprintf("data%d", n), statement("Deny", everyone, "s3:GetObject", "*", `{"NotIpAddress":{"aws:SourceIp":[`+ranges+`]}}`))
		}
	}
	var got [2]map[string]string
	for i, most := range []int{0, 1} {
		got[i] = map[string]string{}
		result := chain.Run(&before, chain.Options{Other: beside(&after), MaxReplays: most})
		if (result.Folded > 0) != (most > 0) {
			t.Fatalf("%d are folded", result.Folded)
		}
		put := func(r *chain.Replay, p *chain.Principal, on *chain.Target) {
			got[i][fmt.Sprint(r.Chain.ID, r.From, r.Action, cmp.Or(p.Address, p.StandIn), on.Address)] = r.Verdict.String()
		}
		for _, r := range result.Replays {
			put(r, r.Principal, r.Target)
		}
		for _, g := range result.Groups {
			for _, at := range g.Replays {
				for _, b := range g.Blocks {
					for _, p := range b.Principals {
						for _, on := range b.Targets {
							put(result.Replays[at], p, on)
						}
					}
				}
			}
		}
	}
	if len(got[0]) == 0 || !maps.Equal(got[0], got[1]) {
		t.Errorf("%d calls, %d where folded", len(got[0]), len(got[1]))
	}
}

// Every address is met like one of the witnesses, and no two of these are met alike.
func TestWitnessesOfRanges(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		conditions := make([][]netip.Prefix, 1+random.IntN(4))
		for i := range conditions {
			for range 1 + random.IntN(4) {
				a := netip.AddrFrom4([4]byte{203, 0, 113, byte(random.IntN(256))})
				conditions[i] = append(conditions[i], netip.PrefixFrom(a, 24+random.IntN(9)))
			}
		}
		met := func(a netip.Addr) string {
			out := make([]byte, len(conditions))
			for i, ps := range conditions {
				if slices.ContainsFunc(ps, func(p netip.Prefix) bool { return p.Contains(a) }) {
					out[i] = 1
				}
			}
			return string(out)
		}
		witnesses := map[string]netip.Addr{}
		for _, w := range chain.Apart(netip.MustParseAddr("8.8.8.8"), conditions) {
			if other, ok := witnesses[met(w)]; ok {
				t.Errorf("%v: %s and %s are met alike", conditions, w, other)
			}
			witnesses[met(w)] = w
		}
		for i := range 256 {
			if a := netip.AddrFrom4([4]byte{203, 0, 113, byte(i)}); !witnesses[met(a)].IsValid() {
				t.Fatalf("%v: no witness for %s", conditions, a)
			}
		}
	}
}
