package hazard

import (
	"cmp"
	"slices"
	"strings"

	"github.com/tfguard/tfguard/engine"
	"github.com/tfguard/tfguard/engine/arn"
	"github.com/tfguard/tfguard/engine/awsref"
	"github.com/tfguard/tfguard/engine/chain"
	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/engine/symbol"
)

// open finds statements that let everybody in and that no replay shows, since no chain
// makes the calls that they grant: each is held against calls of strangers.
func (f *finder) open() {
	type place struct {
		part
		address string
	}
	known := map[place]bool{}
	for i := range f.findings {
		if x := &f.findings[i]; x.Rule == publicAccess {
			known[place{x.part, x.Address}] = true
			for _, p := range x.Places {
				known[place{x.part, p.Address}] = true
			}
		}
	}
	strangers := chain.NewStrangers(f.World)
	for _, t := range f.World.Targets() {
		for _, a := range t.Policies {
			for s := range f.document(a.Document).statements() {
				at := place{part{resource(a.ID, a.Origin), s.Index}, a.Origin.Address}
				if a.Kind != policy.Resource || a.Origin.Address == "" || s.Public() != kleene.True || known[at] {
					continue
				}
				if severity, message := s.opens(t, strangers); message != "" {
					s.doc.add(publicAccess, s.Statement, severity, s.Range, -1, message)
					known[at] = true
				}
			}
		}
	}
}

// opens says which call the statement lets strangers make on a target, empty if none.
// It is an error where the policy alone decides and the decision is certain.
func (s *statement) opens(t *chain.Target, strangers *chain.Strangers) (severity source.Severity, message string) {
	for _, action := range s.actionsOn(t) {
		for _, who := range []*chain.Principal{strangers.Nobody, strangers.Outsider} {
			if who == strangers.Nobody && !among(unsigned, action) || among(gallery, action) {
				continue
			}
			hop, ok := strangers.Call(who, action, t, s.Statement)
			if !ok || hop.Verdict != engine.Allowed && hop.Verdict != engine.Unknown {
				continue
			}
			words := stranger(who) + " may call " + action + " on " + cmp.Or(t.Address, t.ARN.String())
			switch {
			case hop.Verdict == engine.Allowed && !among(guarded, action):
				return source.Error, words
			case message != "":
			case hop.Verdict == engine.Unknown:
				severity, message = source.Warning, words+", as far as is known: it hangs on "+listed(hop.Unknown)
			default:
				severity, message = source.Warning, words+", unless more than the policy stands before it"
			}
		}
	}
	return severity, message
}

var (
	// unsigned begin the actions that are taken without credentials.
	unsigned = []string{"elasticfilesystem:Client", "es:ESHttp", "execute-api:", "lambda:InvokeFunctionUrl", "s3:", "sns:", "sqs:"}
	// guarded begin those before which more may stand than a policy: a network, an
	// authorizer, or a check that a function makes.
	guarded = []string{"elasticfilesystem:", "es:", "execute-api:", "lambda:InvokeFunctionUrl"}
	// gallery begin what everybody may do with a repository of the public gallery.
	gallery = []string{"ecr-public:BatchCheck", "ecr-public:BatchGet", "ecr-public:Describe", "ecr-public:Get"}
)

func among(prefixes []string, action string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool {
		return len(action) >= len(p) && strings.EqualFold(action[:len(p)], p)
	})
}

// inAccount are the services that take some actions from the account of the resource
// alone, whatever its policy says. (AWS pages "Overview of managing access in Amazon
// SQS", "Allowing users in other accounts to use a KMS key" and, of Amazon S3,
// "PutBucketPolicy".)
var inAccount = map[string]struct {
	// but is set where actions lists those that others may take, too.
	but     bool
	actions []string
}{
	"kms": {true, []string{
		"creategrant", "decrypt", "derivesharedsecret", "describekey", "encrypt", "generatedatakey", "generatedatakeypair",
		"generatedatakeypairwithoutplaintext", "generatedatakeywithoutplaintext", "generatemac", "getkeyrotationstatus", "getpublickey",
		"listgrants", "reencryptfrom", "reencryptto", "retiregrant", "revokegrant", "sign", "verify", "verifymac",
	}},
	"s3": {false, []string{"deletebucketpolicy", "getbucketpolicy", "putbucketpolicy"}},
	"sqs": {false, []string{
		"addpermission", "cancelmessagemovetask", "createqueue", "deletequeue", "listmessagemovetasks", "listqueues",
		"listqueuetags", "removepermission", "setqueueattributes", "startmessagemovetask", "tagqueue", "untagqueue",
	}},
}

// crosses reports whether a service takes an action from callers of other accounts.
func crosses(action string) bool {
	service, name, _ := strings.Cut(strings.ToLower(action), ":")
	in := inAccount[service]
	return slices.Contains(in.actions, name) == in.but
}

// actionsOn are the actions on a target that the statement allows strangers: those it
// names, else those of the target's service that have resources, first those that need
// no credentials.
func (s *statement) actionsOn(t *chain.Target) []string {
	var named, of []string
	service := serviceOf(t.ARN)
	for i := range s.Actions.Entries {
		text, known := s.Actions.Entries[i].Text.Literal()
		prefix, _, _ := strings.Cut(strings.ToLower(text), ":")
		if known && !s.Actions.Not && !wild(text) && (prefix == service || service == "") && s.worksOnItsOwn(text) && crosses(text) {
			named = append(named, text)
		}
	}
	known, ok := awsref.LookupService(service)
	if len(named) > 0 || !ok {
		return named
	}
	for name := range known.ActionNames() {
		if action := service + ":" + name; s.covers(action) && s.worksOnItsOwn(action) && crosses(action) {
			of = append(of, action)
		}
	}
	slices.SortStableFunc(of, func(a, b string) int {
		switch x, y := among(unsigned, a), among(unsigned, b); {
		case x == y:
			return 0
		case x:
			return -1
		}
		return 1
	})
	return of
}

// worksOnItsOwn reports whether a resource of the statement may be one that an action
// works on.
func (s *statement) worksOnItsOwn(action string) bool {
	arns, ok := s.doc.worksOn(action)
	return !ok || s.Resources == nil || s.Resources.Not || len(arns) > 0 && s.names(action, arns)
}

// serviceOf is the prefix of the actions on a resource.
func serviceOf(resource symbol.Text) string {
	a, ok := arn.Parse(resource)
	if !ok {
		return ""
	}
	if service := a[arn.Service].String(); service != "apigateway" {
		return service
	}
	return "execute-api"
}
