package hazard

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tfguard/tfguard/engine"
	"github.com/tfguard/tfguard/engine/chain"
	"github.com/tfguard/tfguard/engine/condition"
	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/request"
	"github.com/tfguard/tfguard/engine/source"
)

const mfaPresent = "aws:multifactorauthpresent"

var (
	boolMissesAnonymous = &Rule{
		ID: "deny-misses-anonymous", Code: "H04",
		Title:       "A Deny does not meet requests without credentials",
		Severity:    source.Error,
		Rationale:   "A request without credentials does not carry aws:PrincipalIsAWSService, and Bool is false for an absent key: the Deny spares exactly the callers that nobody knows.",
		Remediation: "Use BoolIfExists in place of Bool for aws:PrincipalIsAWSService.",
		Page:        "AWS global condition context keys",
		Kind:        policy.Resource,
		Before:      `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::b","arn:aws:s3:::b/*"],"Condition":{"StringNotEqualsIfExists":{"aws:PrincipalOrgID":"o-exampleorgid"},"Bool":{"aws:PrincipalIsAWSService":"false"}}}}`,
		After:       `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::b","arn:aws:s3:::b/*"],"Condition":{"StringNotEqualsIfExists":{"aws:PrincipalOrgID":"o-exampleorgid"},"BoolIfExists":{"aws:PrincipalIsAWSService":"false"}}}}`,
		statement: func(s *statement) {
			c := s.first(is(condition.Bool, false, "false"), "aws:principalisawsservice")
			if s.denies() && c != nil && s.everyone() && s.speaksOf("s3", "sqs", "sns", "lambda", "execute-api") {
				s.report(source.Info, c.KeyRange, func(r *chain.Replay, hop *chain.HopResult) bool {
					return hop.Credentials == chain.Anonymous && allowed(r) && s.matches(hop) && s.otherwise(hop, c)
				}, "requests without credentials do not carry %s, so that it never meets them", c.Key)
			}
		},
	}
	mfaAbsent = &Rule{
		ID: "mfa-absent", Code: "H15",
		Title:    "A test for MFA misses calls that carry no such key",
		Severity: source.Error,
		Rationale: "Calls signed with a user's access key, and those of federated sessions, do not carry aws:MultiFactorAuthPresent. " +
			"A Deny with Bool \"false\" does not meet them, an Allow with BoolIfExists \"true\" admits them, and Null \"false\" asks only that the key is there, whatever it says.",
		Remediation: `Deny with "BoolIfExists": {"aws:MultiFactorAuthPresent": "false"} and exempt federated roles by aws:PrincipalArn and calls of services by aws:ViaAWSService; allow with "Bool": "true".`,
		Page:        "AWS: Allows MFA-authenticated IAM users to manage their own credentials",
		Kind:        policy.Identity,
		Before:      `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"false"}}}}`,
		After:       `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false","aws:ViaAWSService":"false"}}}}`,
		explains:    []*Rule{chainBroken},
		statement: func(s *statement) {
			for _, c := range s.on(mfaPresent) {
				switch breaks := s.denied(chain.FAS); {
				case s.denies() && is(condition.Bool, true, "false")(c) && s.doc.proves(breaks):
					s.report(source.Warning, c.KeyRange, breaks, "it denies what services do for callers that signed with an access key, which never carries MFA")
				case s.denies() && is(condition.Bool, false, "false")(c):
					s.report(source.Warning, c.KeyRange, func(r *chain.Replay, hop *chain.HopResult) bool {
						return s.byOwner(r) && hop.Credentials == chain.Caller && absent(hop, mfaPresent) && allowed(r) && s.matches(hop) && s.otherwise(hop, c)
					}, "it does not meet calls signed with an access key, which do not carry the key")
				case s.denies() && is(condition.Null, false, "true")(c):
					s.report(source.Warning, c.KeyRange, nil, "it denies where the key is absent and not where it is false")
				case s.allows() && is(condition.Bool, true, "true")(c):
					s.report(source.Warning, c.KeyRange, func(r *chain.Replay, hop *chain.HopResult) bool {
						return s.decided(hop) && absent(hop, mfaPresent) && allowed(r)
					}, "it admits calls signed with an access key, which do not carry the key")
				case s.allows() && is(condition.Null, false, "false")(c) && s.first(is(condition.Bool, false), mfaPresent) == nil:
					s.report(source.Warning, c.KeyRange, nil, "it asks that the key is there, not that it is true")
				}
			}
		},
	}
	mfaAge = &Rule{
		ID: "mfa-age-deny", Code: "H16",
		Title:       "A Deny by the age of MFA does not meet calls without MFA",
		Severity:    source.Warning,
		Rationale:   "A call without MFA does not carry aws:MultiFactorAuthAge, and a numeric operator is false for an absent key: the Deny meets only who did use MFA.",
		Remediation: "Use NumericGreaterThanIfExists, and deny calls without MFA by a statement of its own.",
		Page:        "AWS global condition context keys",
		Kind:        policy.Identity,
		Before:      `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"iam:*","Resource":"*","Condition":{"NumericGreaterThan":{"aws:MultiFactorAuthAge":"3600"}}}}`,
		After:       `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"iam:*","Resource":"*","Condition":{"NumericGreaterThanIfExists":{"aws:MultiFactorAuthAge":"3600"}}}}`,
		statement: func(s *statement) {
			c := s.first(func(c *condition.Condition) bool {
				return !c.Operator.IfExists && strings.HasPrefix(string(c.Operator.Base), "Numeric") && positive(c)
			}, "aws:multifactorauthage")
			if s.denies() && c != nil && !s.doc.denies(mfaPresent) && !s.doc.denies("aws:multifactorauthage", s.Index) {
				s.report(source.Warning, c.KeyRange, nil, "calls without MFA do not carry %s and are not denied", c.Key)
			}
		},
	}
	regionDeny = &Rule{
		ID: "region-deny-global-services", Code: "H17",
		Title:    "A Deny by Region also meets global services",
		Severity: source.Error,
		Rationale: "IAM, Organizations, Route 53, CloudFront, AWS Support and other global services have one endpoint, in us-east-1. A Deny of every other Region shuts them. " +
			"What a service does in another Region by itself is not met by it; a call that a service makes for the caller has the Region of that call.",
		Remediation: "Name the global services in NotAction, or let us-east-1 through for them.",
		Page:        "AWS: Denies access to AWS based on the requested Region",
		Kind:        policy.SCP,
		Before:      `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringNotEquals":{"aws:RequestedRegion":["eu-west-1"]}}}}`,
		After:       `{"Version":"2012-10-17","Statement":{"Effect":"Deny","NotAction":["budgets:*","cloudfront:*","globalaccelerator:*","health:*","iam:*","organizations:*","route53:*","shield:*","sts:*","support:*","waf:*"],"Resource":"*","Condition":{"StringNotEquals":{"aws:RequestedRegion":["eu-west-1"]}}}}`,
		statement: func(s *statement) {
			c := s.first(negated, "aws:requestedregion")
			if !s.denies() || c == nil || len(s.on(endpointKeys...)) > 0 || holds(c, "us-east-1") || slices.ContainsFunc(literals(c), func(v string) bool { return strings.HasPrefix(v, "us-east-*") || strings.HasPrefix(v, "us-*") }) {
				return
			}
			var met []string
			severity := source.Info
			for _, action := range globalActions {
				if service, _, _ := strings.Cut(action, ":"); s.covers(action) {
					met = append(met, service)
				}
			}
			if slices.ContainsFunc(commonActions, s.covers) {
				severity = source.Warning
			}
			if more := len(met) - len(commonActions); more > 0 {
				met = append(met[:len(commonActions)], fmt.Sprintf("and %d more", more))
			}
			if len(met) > 0 {
				denied := s.denied(chain.Caller, chain.FAS, chain.ServiceRole)
				s.report(severity, c.KeyRange, func(r *chain.Replay, hop *chain.HopResult) bool {
					prefix, _, _ := strings.Cut(hop.Request.Action, ":")
					global := slices.ContainsFunc(globalActions, func(a string) bool { return strings.HasPrefix(a, prefix+":") })
					return global && denied(r, hop)
				}, "it denies calls of %s, whose Region is always us-east-1", strings.Join(met, ", "))
			}
		},
	}
	forAllValuesAllow = &Rule{
		ID: "for-all-values-in-allow", Code: "H07",
		Title:       "An Allow with ForAllValues admits calls that do not carry the key",
		Severity:    source.Error,
		Rationale:   "ForAllValues is true when the key is absent, since there is no value that could fail.",
		Remediation: `Add "Null": {"KEY": "false"} to the condition.`,
		Page:        "Single-valued vs. multivalued context keys",
		Kind:        policy.Identity,
		Before:      `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*","Condition":{"ForAllValues:StringEquals":{"aws:CalledVia":["athena.amazonaws.com"]}}}}`,
		After:       `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*","Condition":{"ForAllValues:StringEquals":{"aws:CalledVia":["athena.amazonaws.com"]},"Null":{"aws:CalledVia":"false"}}}}`,
		explains:    []*Rule{publicAccess},
		statement: func(s *statement) {
			for i := range s.Conditions {
				c := &s.Conditions[i]
				if !s.allows() || c.Operator.Set != condition.ForAllValues || s.first(is(condition.Null, false, "false"), lower(c)) != nil ||
					ordinarySet(lower(c)) || s.first(requires, memberOf[lower(c)]) != nil || s.onlyAction(carries[lower(c)]) {
					continue
				}
				s.report(source.Info, c.KeyRange, func(r *chain.Replay, hop *chain.HopResult) bool {
					return s.decided(hop) && absent(hop, c.Key) && allowed(r) && hop.Credentials != chain.ServicePrincipal
				}, "calls that do not carry %s meet it too", c.Key)
			}
		},
	}
	ifExistsAllow = &Rule{
		ID: "if-exists-in-allow", Code: "H34",
		Title:       "An Allow by network or identity admits calls that do not carry the key",
		Severity:    source.Warning,
		Rationale:   "IfExists is true when the key is absent. An Allow that asks for a VPC with IfExists admits calls from the Internet, which carry no VPC.",
		Remediation: "Leave IfExists away, or put the key that is present in its place beside it, such as aws:SourceIp beside aws:SourceVpc.",
		Page:        "IAM JSON policy elements: Condition operators",
		Kind:        policy.Resource,
		Before:      `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*","Condition":{"StringEqualsIfExists":{"aws:SourceVpc":"vpc-0123456789abcdef0"}}}}`,
		After:       `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*","Condition":{"StringEquals":{"aws:SourceVpc":"vpc-0123456789abcdef0"}}}}`,
		explains:    []*Rule{publicAccess},
		statement: func(s *statement) {
			found := s.on(slices.Concat(networkKeys, []string{"aws:principalorgid", "aws:principalaccount", "aws:principalarn", "aws:principaltag/", "aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid"})...)
			if !s.allows() || len(found) != 1 || !found[0].Operator.IfExists || negated(found[0]) {
				return
			}
			c := found[0]
			s.report(source.Warning, c.KeyRange, nil, "calls that do not carry %s meet it too", c.Key)
		},
	}
	negatedAllow = &Rule{
		ID: "negated-allow", Code: "H35",
		Title:       "An Allow by a negated operator admits calls that do not carry the key",
		Severity:    source.Error,
		Rationale:   "StringNotEquals and its kin are true when the key is absent: an Allow for everyone not from one VPC admits everyone from none.",
		Remediation: "Allow by a positive operator, and deny what is not wanted by a statement of its own.",
		Page:        "IAM JSON policy elements: Condition operators",
		Kind:        policy.Identity,
		Before:      `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*","Condition":{"StringNotEquals":{"aws:SourceVpc":"vpc-0123456789abcdef0"}}}}`,
		After:       `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*","Condition":{"StringEquals":{"aws:SourceVpc":"vpc-0fedcba9876543210"}}}}`,
		explains:    []*Rule{publicAccess},
		statement: func(s *statement) {
			for i := range s.Conditions {
				c := &s.Conditions[i]
				key, global := request.Find(c.Key)
				if !s.allows() || !negated(c) || c.Operator.Set != condition.NoSet || !global || !strings.HasPrefix(lower(c), "aws:") || alwaysPresent[family(c)] || holds(c, "") ||
					key.Multivalued || s.first(is(condition.Null, false, "false"), lower(c)) != nil {
					continue
				}
				s.report(source.Warning, c.KeyRange, func(r *chain.Replay, hop *chain.HopResult) bool {
					return s.decided(hop) && absent(hop, c.Key) && allowed(r) && s.doc.Kind == policy.Resource && r.Principal.StandIn == chain.StandInOutside
				}, "calls that do not carry %s meet it too", c.Key)
			}
		},
	}
)

var (
	// commonActions are an action of each service that nearly every account uses and
	// that has one endpoint, in us-east-1.
	commonActions = []string{
		"iam:GetRole", "organizations:DescribeOrganization", "route53:ListHostedZones", "cloudfront:ListDistributions", "support:DescribeCases",
	}
	// globalActions are those, and an action of each of the other services.
	globalActions = slices.Concat(commonActions, []string{
		"budgets:ViewBudget", "globalaccelerator:ListAccelerators", "health:DescribeEvents", "shield:ListProtections", "sts:AssumeRole", "waf:ListWebACLs",
	})
)

// alwaysPresent are the keys that every signed request carries.
var alwaysPresent = map[string]bool{
	"aws:requestedregion": true, "aws:resourceaccount": true, "aws:principalaccount": true, "aws:principalarn": true,
	"aws:principaltype": true, "aws:userid": true, "aws:securetransport": true, "aws:currenttime": true, "aws:epochtime": true,
	"aws:viaawsservice": true, "aws:principalisawsservice": true, "aws:useragent": true,
	// A tag of a resource or request is absent where there is none, which is mostly meant.
	"aws:resourcetag/": true, "aws:requesttag/": true,
}

// memberOf are the keys, for each that holds a set of names, of the things that are
// named: who asks for one of those asks that the set is not empty.
var memberOf = map[string]string{
	"kms:encryptioncontextkeys": "kms:encryptioncontext:",
	"s3:requestobjecttagkeys":   "s3:requestobjecttag/",
}

// carries are the actions whose every call carries a key.
var carries = map[string]string{
	"route53:changeresourcerecordsetsnormalizedrecordnames": "route53:ChangeResourceRecordSets",
	"route53:changeresourcerecordsetsrecordtypes":           "route53:ChangeResourceRecordSets",
	"route53:changeresourcerecordsetsactions":               "route53:ChangeResourceRecordSets",
}

// onlyAction reports whether the statement names one action, and no other.
func (s *statement) onlyAction(action string) bool {
	if s.Actions.Not || len(s.Actions.Entries) != 1 {
		return false
	}
	text, _ := s.Actions.Entries[0].Text.Literal()
	return strings.EqualFold(text, action)
}

// ordinarySet reports whether ForAllValues in an Allow is the ordinary use of a key:
// tags, the attributes of DynamoDB's items, and what a grant of a key permits.
func ordinarySet(key string) bool {
	return key == "aws:tagkeys" || strings.HasPrefix(key, "dynamodb:") || key == "kms:grantoperations"
}

func allowed(r *chain.Replay) bool { return r.Verdict == engine.Allowed }

// matches reports whether the statement's action and resource are those of a hop.
func (s *statement) matches(hop *chain.HopResult) bool {
	if !s.covers(hop.Request.Action) {
		return false
	}
	if s.Resources == nil {
		return true
	}
	truth, _ := s.Resources.Match(hop.Request.Resource, hop.Request.Context.Lookup)
	return truth == kleene.True
}

// otherwise reports whether the conditions but one hold for a hop.
func (s *statement) otherwise(hop *chain.HopResult, but *condition.Condition) bool {
	for i := range s.Conditions {
		if c := &s.Conditions[i]; c != but && c.Eval(hop.Request.Context) != kleene.True {
			return false
		}
	}
	return true
}

// byOwner reports whether a replay is one of a principal that the policy is attached to.
func (s *statement) byOwner(r *chain.Replay) bool {
	return slices.Contains(s.doc.principals, r.Principal)
}

// denies reports whether some Deny of the policy asks for a key; a statement may be
// left out by its index.
func (d *document) denies(key string, but ...int) bool {
	return d.some(func(s *statement) bool {
		return s.denies() && !slices.Contains(but, s.Index) && len(s.on(key)) > 0
	})
}
