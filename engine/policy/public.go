package policy

import (
	"strings"

	"github.com/tfguard/tfguard/engine/condition"
	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/symbol"
)

// Public reports whether S3 takes a bucket policy for public: some Allow names
// everyone and no condition confines it to fixed callers or networks. (AWS page
// "Blocking public access to your Amazon S3 storage", the meaning of "public".)
func (d *Document) Public() kleene.Truth {
	if d.Unread != "" {
		return kleene.Unknown
	}
	out := kleene.False
	for i := range d.Statements {
		out = max(out, d.Statements[i].Public())
	}
	return out
}

// Public reports whether the statement makes a policy public.
func (s *Statement) Public() kleene.Truth {
	if s.Effect != Allow || s.Principals == nil {
		return kleene.False
	}
	out := s.Principals.everyone()
	if len(s.Unknown) > 0 {
		out = min(out, kleene.Unknown)
	}
	for i := range s.Conditions {
		out = min(out, kleene.Not(confines(&s.Conditions[i])))
	}
	return out
}

// everyone reports whether the element names everybody, or everybody but a few.
func (p *Principals) everyone() kleene.Truth {
	if p.Not {
		return kleene.True
	}
	out := kleene.False
	for i := range p.Entries {
		out = max(out, p.Entries[i].Everyone())
	}
	return out
}

// fixing are the keys whose fixed values confine a statement.
var fixing = map[string]bool{
	"aws:principalorgid": true, "aws:principalaccount": true, "aws:principalarn": true,
	"aws:principalorgpaths": true, "aws:principalisawsservice": true, "aws:principalservicename": true,
	"aws:sourcearn": true, "aws:sourceaccount": true, "aws:sourceowner": true,
	"aws:sourcevpc": true, "aws:sourcevpce": true, "aws:sourcevpcarn": true,
	"aws:vpceaccount": true, "aws:vpceorgid": true, "aws:vpceorgpaths": true,
	"aws:userid": true, "s3:dataaccesspointarn": true, "s3:dataaccesspointaccount": true,
	"s3:x-amz-server-side-encryption-aws-kms-key-id": true,
}

// confines reports whether a condition keeps a statement from being public. One
// that a request without the key meets does not.
func confines(c *condition.Condition) kleene.Truth {
	op := c.Operator
	if op.IfExists || op.Set == condition.ForAllValues || op.Negated() || op.Base == condition.Null || len(c.Values) == 0 {
		return kleene.False
	}
	key := strings.ToLower(c.Key)
	out := kleene.True
	for i := range c.Values {
		switch {
		case key == "aws:sourceip":
			out = min(out, narrow(c.Values[i].Text))
		case fixing[key]:
			out = min(out, fixed(key, c.Values[i].Text))
		default:
			return kleene.False
		}
	}
	return out
}

// narrow reports whether an address range is small enough not to be public.
func narrow(t symbol.Text) kleene.Truth {
	s, known := t.Literal()
	if !known {
		return kleene.Unknown
	}
	p, err := condition.ParsePrefix(s)
	if err != nil {
		return kleene.False
	}
	least := 8
	if p.Addr().Is6() {
		least = 32
	}
	return kleene.Of(p.Bits() >= least || p.Addr().IsPrivate())
}

// fixed reports whether a value has no wildcard and no variable where that counts.
func fixed(key string, t symbol.Text) kleene.Truth {
	for s := range t.Symbols() {
		if s.Class == symbol.Any && !s.Unique {
			return kleene.Unknown
		}
	}
	s := t.String()
	if !t.Known() {
		s = "" // ids that a service assigns have no wildcards
	}
	switch key {
	case "aws:principalisawsservice":
		return kleene.Of(strings.EqualFold(s, "true"))
	case "aws:userid":
		// A session name may be anything, the role's id may not.
		return kleene.Of(!strings.ContainsAny(strings.TrimSuffix(s, ":*"), "*?$"))
	case "aws:principalarn", "aws:sourcearn", "s3:dataaccesspointarn":
		// The account must be fixed; buckets and topics carry theirs elsewhere.
		parts := strings.SplitN(s, ":", 6)
		return kleene.Of(len(parts) < 6 && !strings.ContainsAny(s, "*?$") || len(parts) == 6 && fixedARN(key, parts))
	}
	return kleene.Of(!strings.ContainsAny(s, "*?$"))
}

func fixedARN(key string, parts []string) bool {
	account, resource := parts[4], parts[5]
	if account != "" {
		return !strings.ContainsAny(account, "*?$") && (key != "aws:sourcearn" || !strings.ContainsAny(resource, "$"))
	}
	return !strings.ContainsAny(resource, "*?$")
}
