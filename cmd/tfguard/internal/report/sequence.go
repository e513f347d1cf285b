package report

import (
	"slices"
	"strings"
)

// A sequence is a replay as calls between parties, for diagrams. Hops that are not
// needed for the chain to succeed are left out.
type sequence struct {
	parties []party
	calls   []call
}

// A party makes or takes calls. A service that the target of the chain belongs to
// holds that, by its address.
type party struct{ name, holds string }

// String is the name and what it holds.
func (p party) String() string { return strings.TrimSuffix(p.name+" "+p.holds, " ") }

// A call is a hop, or several next to each other that differ in the resource alone,
// from one party to another.
type call struct {
	*Hop
	from, to int
	times    int
	// decides is set if the verdict of the replay is that of this call.
	decides bool
}

// sequence returns the calls of a replay; it has none if its hops were not kept.
func (r *Replay) sequence() sequence {
	var s sequence
	callers := map[int]party{} // by hop
	for i := range r.Hops {
		h := &r.Hops[i]
		if h.Optional {
			continue
		}
		from, ok := callers[h.Hop]
		if !ok {
			from = party{name: r.caller()}
			if len(s.calls) > 0 {
				from = s.next()
			}
			callers[h.Hop] = from
		}
		c := call{Hop: h, from: s.party(from), to: s.party(r.callee(h)), times: 1, decides: h.Hop == r.BrokenHop && h.Verdict == r.Verdict}
		if n := len(s.calls); n > 0 && s.calls[n-1].like(c) {
			s.calls[n-1].times++
			continue
		}
		s.calls = append(s.calls, c)
	}
	return s
}

// like reports whether two calls differ in the resource alone.
func (c call) like(other call) bool {
	return c.Hop.Hop == other.Hop.Hop && c.Action == other.Action && c.from == other.from && c.to == other.to && c.Verdict == other.Verdict
}

// broken reports whether the call does not go through.
func (c call) broken() bool { return c.Verdict.String() != "allowed" }

// by names the statement that decided a call, or what an unknown verdict hangs on.
func (c call) by() string {
	switch b := c.deciding(); {
	case len(c.Unknown) > 0:
		return "hangs on " + strings.Join(c.Unknown, ", ")
	case b == nil || b.Outcome == "notApplies":
		return "no statement allows it"
	default:
		return b.name()
	}
}

// party returns the number of a party, a new one if it has none.
func (s *sequence) party(p party) int {
	i := slices.Index(s.parties, p)
	if i < 0 {
		i = len(s.parties)
		s.parties = append(s.parties, p)
	}
	return i
}

// next is who makes the calls of the next hop: who was called last or, if a role was
// assumed, who assumed it.
func (s *sequence) next() party {
	last := s.calls[len(s.calls)-1]
	if strings.HasPrefix(last.Action, "sts:") {
		return s.parties[last.from]
	}
	return s.parties[last.to]
}

// caller names who begins the chain.
func (r *Replay) caller() string {
	if len(r.Hops) > 0 {
		if h := &r.Hops[0]; h.Principal != r.Principal && !strings.Contains(h.Principal, ":") {
			return printable(h.Principal) // a service that assumes the role that the replay is about
		}
	}
	return columnName(r)
}

// callee names whom a call is made to: a service, the one that holds the target of
// the chain with its address.
func (r *Replay) callee(h *Hop) party {
	p := party{name: service(h.Action)}
	if p.name == service(r.Action) {
		p.holds = printable(r.ResourceAddress)
	}
	return p
}

// services are the names of services by the prefix of their actions.
var services = map[string]string{
	"athena": "Athena", "cloudformation": "CloudFormation", "cloudtrail": "CloudTrail", "config": "Config", "dynamodb": "DynamoDB",
	"ec2": "EC2", "events": "EventBridge", "firehose": "Firehose", "glue": "Glue", "kinesis": "Kinesis", "kms": "KMS", "lambda": "Lambda",
	"logs": "CloudWatch Logs", "s3": "S3", "secretsmanager": "Secrets Manager", "sns": "SNS", "sqs": "SQS", "states": "Step Functions", "sts": "STS",
}

// service names the service of an action.
func service(action string) string {
	prefix, _, _ := strings.Cut(action, ":")
	if name, ok := services[prefix]; ok {
		return name
	}
	return printable(prefix)
}
