package config

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"github.com/tfguard/tfguard/engine/chain"
	"github.com/tfguard/tfguard/extract"
)

// A Draft is what an input tells of a first file.
type Draft struct {
	// Inputs are the paths of what was read.
	Inputs []string
	// Account and Organization are facts of the input; those that are assumed, or not
	// known, are written as comments.
	Account, Organization extract.Fact
	// Network are the places that policies want calls to come from.
	Network chain.Network
	// Expectations are sentences that hold of the input.
	Expectations []Expectation
}

// Write writes the draft as a file with comments: what it says holds of the input as
// it is, and what a team may want to add is commented out.
func (d *Draft) Write() []byte {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	from := ""
	if len(d.Inputs) > 0 {
		from = " (" + strings.Join(d.Inputs, ", ") + ")"
	}
	line("# What tfguard cannot read off its input%s.", from)
	line("# Every block may be left out.")
	line("# `tfguard check` finds this file beside its input or in the working folder.")
	line("")
	d.facts(line)
	d.networks(line)
	line(`# Policies of the organization that no plan shows: policy documents, or the output of
# aws organizations describe-policy. The label is root, or the id of a root, an
# organizational unit or an account.
#
# scp "root" {
#   files = ["scp/*.json"]
# }
#
# rcp "root" {
#   files = ["rcp/*.json"]
# }

# A chain of calls of your own; tfguard chains list shows those there are.
#
# chain "nightly-load" {
#   title = "a function reads a bucket with its role"
#   hop {
#     credentials = "service-role"
#     service     = "lambda.amazonaws.com"
#     actions     = ["s3:GetObject"]
#   }
# }
`)
	line("# Sentences that the check holds the policies to: it fails where one is not true.")
	line("# Principals and resources are addresses, ARNs or names; '*' stands for any text, and")
	line("# denied for either deny.")
	if len(d.Expectations) == 0 {
		line("#\n# expect \"Nobody gets at the data without credentials\" {\n#   principal = \"anonymous\"\n#   action    = \"s3:*\"\n#   resource  = \"aws_s3_bucket.example\"\n#   chain     = \"anonymous\"\n#   verdict   = \"denied\"\n# }")
	}
	for i := range d.Expectations {
		line("")
		d.Expectations[i].write(line)
	}
	line(`
# A finding that is accepted for a time.
#
# waiver {
#   rule    = "chain-broken"
#   address = "aws_s3_bucket.example"
#   reason  = "say why"
#   owner   = "who decided"
#   expires = "2099-12-31"
# }

# Flags of tfguard check; the command line and TFGUARD_* variables go before them.
#
# check {
#   fail_on = "error"
# }`)
	return hclwrite.Format([]byte(b.String()))
}

func (d *Draft) facts(line func(string, ...any)) {
	known := func(f extract.Fact) bool { return f.From != "" && !f.Assumed && f.Value.Known() }
	value := func(f extract.Fact, example string) string {
		if s, ok := f.Value.Literal(); ok && s != "" {
			return quote(s)
		}
		return quote(example)
	}
	if known(d.Account) {
		line("account {\n  id = %s # read in %s", value(d.Account, ""), d.Account.From)
		line("  # management = true # it is the management account of its organization")
		line("  # authorization_details = \"account.json\" # aws iam get-account-authorization-details")
		line("}\n")
	} else {
		line("# The account: the input does not say for certain which it is.\n#\n# account {\n#   id         = %s\n#   management = false", value(d.Account, "123456789012"))
		line("#   # The users and roles that exist: aws iam get-account-authorization-details\n#   authorization_details = \"account.json\"\n# }\n")
	}
	if known(d.Organization) {
		line("organization {\n  id = %s # read in %s\n}\n", value(d.Organization, ""), d.Organization.From)
		return
	}
	line("# The organization and the places of the account in it.\n#\n# organization {\n#   id    = %s\n#   paths = [\"o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/\"]\n# }\n", value(d.Organization, "o-a1b2c3d4e5"))
}

func (d *Draft) networks(line func(string, ...any)) {
	n := &d.Network
	if len(n.CIDRs)+len(n.VPCs)+len(n.Endpoints) == 0 {
		line("# Networks that calls come from. Without any they are read off the policies.\n#\n# network \"office\" {\n#   cidrs = [\"203.0.113.0/24\"]\n# }\n")
		return
	}
	line("# Networks that calls come from: the policies name these. Name yours, and the calls\n# are replayed from there.\n#")
	var cidrs, vpcs, endpoints []string
	for _, p := range n.CIDRs {
		cidrs = append(cidrs, quote(p.String()))
	}
	for _, t := range n.VPCs {
		vpcs = append(vpcs, quote(t.String()))
	}
	for _, t := range n.Endpoints {
		endpoints = append(endpoints, quote(t.String()))
	}
	line("# network \"office\" {")
	for _, a := range []struct {
		name   string
		values []string
	}{{"cidrs", cidrs}, {"vpc", vpcs}, {"vpc_endpoint", endpoints}} {
		if len(a.values) > 0 {
			line("#   %s = [%s]", a.name, strings.Join(a.values, ", "))
		}
	}
	line("# }\n")
}

func (e *Expectation) write(line func(string, ...any)) {
	list := func(words []string) string {
		if len(words) == 1 {
			return quote(words[0])
		}
		var out []string
		for _, w := range words {
			out = append(out, quote(w))
		}
		return "[" + strings.Join(out, ", ") + "]"
	}
	line("expect %s {\n  principal = %s\n  action = %s\n  resource = %s\n  chain = %s\n  verdict = %s\n}",
		quote(e.Sentence), quote(e.Principal), list(e.Actions), quote(e.Resource), list(e.Chains), quote(e.Verdict))
}

// quote writes a text as HCL does, its templates escaped.
func quote(s string) string {
	return string(hclwrite.TokensForValue(cty.StringVal(s)).Bytes())
}
