package chain_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/tfguard/tfguard/engine"
	"github.com/tfguard/tfguard/engine/chain"
	"github.com/tfguard/tfguard/engine/symbol"
)

const (
	trustsStates = `{"Effect":"Allow","Principal":{"Service":"states.amazonaws.com"},"Action":"sts:AssumeRole"}`
	trustsLambda = `{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}`
	loader       = "arn:aws:lambda:eu-west-1:" + account + ":function:loader"
)

// nightly is a chain of a team: Step Functions invokes a function with its role, and
// the function writes to a bucket with its own.
func nightly() *chain.Chain {
	return &chain.Chain{
		ID: "nightly", Title: "the nightly load",
		Hops: []chain.Hop{
			{Number: 1, Credentials: chain.ServicePrincipal, Service: "states.amazonaws.com", Actions: []string{"sts:AssumeRole"}, Resource: chain.OnRole},
			{Number: 2, Credentials: chain.ServiceRole, Service: "states.amazonaws.com", Actions: []string{"lambda:InvokeFunction"}, Resource: loader},
			{Number: 3, Credentials: chain.ServiceRole, Service: "lambda.amazonaws.com", Principal: "role.loader", Actions: []string{"s3:PutObject"}, Resource: "aws_s3_bucket.data"},
		},
	}
}

// A team's chain is replayed as those of the catalogue are: for the roles that its
// service assumes, on the target that its last hop names.
func TestOwnChain(t *testing.T) {
	for _, tc := range []struct {
		name, loaderMay string
		want            engine.Verdict
		broken          int
	}{
		{"works", allow("s3:PutObject", "arn:aws:s3:::data/*"), engine.Allowed, 0},
		{"the function may not write", allow("s3:GetObject", "arn:aws:s3:::data/*"), engine.ImplicitDeny, 3},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t)
			w.role(t, "machine", trustsStates, allow("lambda:InvokeFunction", loader)+","+allow("s3:*", "*"))
			w.role(t, "loader", trustsLambda, tc.loaderMay)
			w.bucket(t, "data").Address = "aws_s3_bucket.data"
			c := nightly()
			if err := c.Validate(); err != nil {
				t.Fatal(err)
			}
			res := chain.Run(w, chain.Options{Chains: []string{"nightly"}, Also: []*chain.Chain{c}})
			if len(res.Replays) != 1 {
				t.Errorf("got %d replays, want 1", len(res.Replays))
			}
			r := find(t, res, "nightly", "s3:PutObject", "role.machine")
			verdict(t, r, tc.want, tc.broken)
			if got := value(t, r, 1, "aws:ViaAWSService"); got != "false" {
				t.Errorf("a service role: got aws:ViaAWSService %s", got)
			}
			if got, want := r.Hops[2].Request.Principal.ARN.String(), "arn:aws:iam::"+account+":role/loader"; got != want {
				t.Errorf("hop 3 is made by %s, want %s", got, want)
			}
		})
	}
}

// A team's chain is folded as those of the catalogue are.
func TestOwnChainFolded(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"one", "two"} {
		w.role(t, name, trustsStates, allow("lambda:InvokeFunction", loader)+","+allow("s3:*", "*"))
	}
	w.role(t, "loader", trustsLambda, allow("s3:PutObject", "arn:aws:s3:::data/*"))
	w.bucket(t, "data").Address = "aws_s3_bucket.data"
	res := chain.Run(w, chain.Options{Chains: []string{"nightly"}, Also: []*chain.Chain{nightly()}, MaxReplays: 1})
	if len(res.Replays) != 1 || res.Folded != 1 || res.Replays[0].Verdict != engine.Allowed {
		t.Errorf("got %d replays, %d folded, want one that stands for another", len(res.Replays), res.Folded)
	}
}

// What a chain names and the input lacks leaves the chain out, with a note.
func TestOwnChainWithoutItsParts(t *testing.T) {
	for name, change := range map[string]func(*chain.Chain){
		"no principal role.loader":         func(*chain.Chain) {},
		"no resource aws_s3_bucket.nobody": func(c *chain.Chain) { c.Hops[2].Resource = "aws_s3_bucket.nobody" },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.role(t, "machine", trustsStates, allow("*", "*"))
			w.bucket(t, "data").Address = "aws_s3_bucket.data"
			c := nightly()
			change(c)
			res := chain.Run(w, chain.Options{Chains: []string{"nightly"}, Also: []*chain.Chain{c}})
			if len(res.Replays) != 0 || !strings.Contains(strings.Join(res.Notes, "\n"), name) {
				t.Errorf("got %d replays and the notes %q", len(res.Replays), res.Notes)
			}
		})
	}
}

// A bucket that a chain names and the world lacks is a target of that chain.
func TestOwnChainOnAnotherBucket(t *testing.T) {
	w := newWorld(t)
	w.role(t, "machine", trustsStates, allow("*", "*"))
	w.role(t, "loader", trustsLambda, allow("s3:PutObject", "arn:aws:s3:::elsewhere/in/*"))
	c := nightly()
	c.Hops[2].Resource = "arn:aws:s3:::elsewhere/in/file"
	res := chain.Run(w, chain.Options{Chains: []string{"nightly"}, Also: []*chain.Chain{c}})
	r := find(t, res, "nightly", "s3:PutObject", "role.machine")
	verdict(t, r, engine.Allowed, 0)
}

func TestValidate(t *testing.T) {
	for _, c := range chain.Catalog() {
		if err := c.Validate(); err != nil {
			t.Errorf("%s: %v", c.ID, err)
		}
	}
	hop := chain.Hop{Number: 1, Credentials: chain.Caller, Actions: []string{"s3:GetObject"}}
	for want, change := range map[string]func(*chain.Chain){
		"needs an id":            func(c *chain.Chain) { c.ID = "" },
		"needs a hop":            func(c *chain.Chain) { c.Hops = nil },
		"not optional":           func(c *chain.Chain) { c.Hops[0].Optional = true },
		"hop 1: there are no":    func(c *chain.Chain) { c.Hops[0].Credentials = "role" },
		"no action":              func(c *chain.Chain) { c.Hops[0].Actions = []string{"GetObject"} },
		"\"s3:*\" is no action":  func(c *chain.Chain) { c.Hops[0].Actions = []string{"s3:*"} },
		"no service principal":   func(c *chain.Chain) { c.Hops[0].Via = []string{"athena"} },
		"has the role":           func(c *chain.Chain) { c.Hops[0].Credentials = chain.ServiceRole },
		"hop 1: a chain begins":  func(c *chain.Chain) { c.Hops[0].Credentials = chain.FAS },
		"hop 1: the first call":  func(c *chain.Chain) { c.Hops[0].Principal = "aws_iam_role.r" },
		"on the caller's behalf": func(c *chain.Chain) { c.Hops = append(c.Hops, chain.Hop{Credentials: chain.FAS}) },
	} {
		c := &chain.Chain{ID: "own", Hops: []chain.Hop{hop}}
		change(c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// Networks that somebody named take the place of those that policies tell.
func TestNamedNetworks(t *testing.T) {
	w := newWorld(t)
	w.role(t, "r", "", allow("s3:*", "*"))
	w.bucket(t, "data", statement("Deny", everyone, "s3:*", "*", `{"NotIpAddress":{"aws:SourceIp":"203.0.113.0/24"}}`))
	w.env.Networks = []chain.Network{
		{Name: "office", CIDRs: []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24")}},
		{Name: "lab", VPCs: []symbol.Text{lit("vpc-lab")}, Endpoints: []symbol.Text{lit("vpce-lab")}},
	}
	lab := &chain.Chain{ID: "lab", Entry: "lab", Hops: []chain.Hop{{Number: 1, Credentials: chain.Caller}}}
	nowhere := &chain.Chain{ID: "nowhere", Entry: "nowhere", Hops: lab.Hops}
	res := chain.Run(w, chain.Options{Also: []*chain.Chain{lab, nowhere}})
	for id, want := range map[string]map[string]string{
		"direct-corporate":    {"aws:SourceIp": "198.51.100.1"},
		"direct-internet":     {"aws:SourceIp": "192.0.2.1"},
		"direct-vpc-endpoint": {"aws:SourceVpce": "vpce-lab", "aws:SourceVpc": "vpc-lab"},
		"lab":                 {"aws:SourceVpce": "vpce-lab", "aws:SourceVpc": "vpc-lab"},
	} {
		r := find(t, res, id, "s3:GetObject", "role.r")
		for k, v := range want {
			if got := value(t, r, 0, k); got != v {
				t.Errorf("%s: %s: got %q, want %q", id, k, got, v)
			}
		}
	}
	if note := strings.Join(res.Notes, "\n"); !strings.Contains(note, `network "nowhere"`) {
		t.Errorf("got the notes %q", res.Notes)
	}
}
