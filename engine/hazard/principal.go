package hazard

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/tfguard/tfguard/engine"
	"github.com/tfguard/tfguard/engine/awsref"
	"github.com/tfguard/tfguard/engine/chain"
	"github.com/tfguard/tfguard/engine/condition"
	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/request"
	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/engine/symbol"
)

// sourceKeys say on whose behalf a service calls in its own name.
var sourceKeys = []string{"aws:sourcearn", "aws:sourceaccount", "aws:sourceorgid", "aws:sourceorgpaths", "aws:sourceowner", "aws:principalorgid"}

// identityKeys say whose account or identity calls.
var identityKeys = []string{"aws:principalorgid", "aws:principalorgpaths", "aws:principalaccount", "aws:principalarn"}

var (
	notPrincipal = &Rule{
		ID: "not-principal", Code: "H21",
		Title:    "NotPrincipal does not mean what it seems",
		Severity: source.Error,
		Rationale: "With Allow it is not supported and lets everybody else in, those without credentials included. With Deny AWS compares account, role and " +
			"session one by one: a role that is listed without its account may be denied, and every caller with a permissions boundary is.",
		Remediation: `Use "Principal": "*" with "ArnNotEquals": {"aws:PrincipalArn": [...]}.`,
		Page:        "AWS JSON policy elements: NotPrincipal",
		Kind:        policy.Resource,
		Before:      `{"Version":"2012-10-17","Statement":{"Effect":"Deny","NotPrincipal":{"AWS":"arn:aws:iam::111122223333:role/Admin"},"Action":"s3:*","Resource":["arn:aws:s3:::b","arn:aws:s3:::b/*"]}}`,
		After:       `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::b","arn:aws:s3:::b/*"],"Condition":{"ArnNotEquals":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/Admin"}}}}`,
		explains:    []*Rule{publicAccess, chainBroken, servicePrincipalLockedOut},
		statement: func(s *statement) {
			if s.Principals == nil || !s.Principals.Not {
				return
			}
			if s.allows() {
				s.report(source.Error, s.Principals.Range, nil, "NotPrincipal with Allow lets everybody in but those it lists")
				return
			}
			if leaf := s.withoutAncestor(); leaf != "" {
				// What AWS makes of it depends: the verdicts are unknown.
				s.report(source.Warning, s.Principals.Range, nil, "AWS may deny %s, as its account, or its role, is not listed too", leaf)
				return
			}
			denied := s.denied(chain.Caller, chain.FAS, chain.ServiceRole)
			for _, t := range s.doc.targets {
				for _, p := range s.doc.World.Principals() {
					if len(p.Boundary) > 0 {
						s.report(source.Warning, s.Principals.Range, func(r *chain.Replay, hop *chain.HopResult) bool {
							return r.Principal == p && denied(r, hop)
						}, "it denies every caller with a permissions boundary, such as %s, on %s", p.Address, t.Address)
						return
					}
				}
			}
		},
	}
	notActionAllow = &Rule{
		ID: "not-action-allow", Code: "H22",
		Title:       "An Allow by exception grants more than anybody listed",
		Severity:    source.Error,
		Rationale:   "NotAction or NotResource with Allow grants all that is not named: every service of AWS, iam among them, and those that will come.",
		Remediation: "List the actions and resources that are meant, or turn the exception into a Deny beside an Allow.",
		Page:        "IAM JSON policy elements: NotAction",
		Kind:        policy.Identity,
		Before:      `{"Version":"2012-10-17","Statement":{"Effect":"Allow","NotAction":"s3:DeleteBucket","Resource":"*"}}`,
		After:       `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"},{"Effect":"Deny","Action":"s3:DeleteBucket","Resource":"*"}]}`,
		explains:    []*Rule{publicAccess},
		statement: func(s *statement) {
			passes := "iam:PassRole"
			if !s.covers(passes) {
				passes = "iam:CreateServiceLinkedRole"
			}
			switch {
			case !s.allows() || s.doc.Kind == policy.SCP || s.doc.Kind == policy.Boundary || s.doc.Kind == policy.VPCEndpoint:
				// These only limit: an exception in them grants nothing.
			case s.Actions.Not && s.covers(passes):
				s.report(source.Warning, s.Actions.Range, nil, "it allows all actions but those it lists, %s among them", passes)
			case s.Actions.Not:
				s.report(source.Info, s.Actions.Range, nil, "it allows the actions of every service but those it lists, also what is to come")
			case s.Resources != nil && s.Resources.Not && !s.namesRest():
				s.report(source.Warning, s.Resources.Range, nil, "it allows every resource but those it lists")
			}
		},
	}
	confusedDeputy = &Rule{
		ID: "confused-deputy", Code: "H23",
		Title:       "A service is let in on behalf of anybody",
		Severity:    source.Error,
		Rationale:   "A service calls in its own name for all its customers. A statement that names the service and not for whom it may call lets any account of AWS use the service to reach the resource. A Deny by the same keys meets everybody who does not carry them, unless it asks that a service calls and says for whom.",
		Remediation: `Add aws:SourceArn, aws:SourceAccount or aws:SourceOrgID to the condition. The ARN of a bucket names no account: add aws:SourceAccount beside it.`,
		Page:        "The confused deputy problem",
		Kind:        policy.Resource,
		Before:      `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},"Action":"sqs:SendMessage","Resource":"arn:aws:sqs:eu-west-1:111122223333:q"}}`,
		After:       `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},"Action":"sqs:SendMessage","Resource":"arn:aws:sqs:eu-west-1:111122223333:q","Condition":{"ArnEquals":{"aws:SourceArn":"arn:aws:sns:eu-west-1:111122223333:t"}}}}`,
		statement: func(s *statement) {
			s.confusedDeputy()
			s.deputyDeny()
		},
	}
	orgDeny = &Rule{
		ID: "organization-deny-locks-out-services", Code: "H24",
		Title:       "A Deny by organization also meets services that call in their own name",
		Severity:    source.Error,
		Rationale:   "A service principal belongs to no organization and to no account of the customer: it does not carry aws:PrincipalOrgID, and a negated operator is true for an absent key. Log delivery and CloudFront are then denied. The same holds for identities of AWS's own accounts, such as origin access identities, and for the users of identity providers as they assume a role.",
		Remediation: `Add "BoolIfExists": {"aws:PrincipalIsAWSService": "false"} to the condition of the Deny.`,
		Page:        "AWS global condition context keys",
		Kind:        policy.Resource,
		Before:      `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::b","arn:aws:s3:::b/*"],"Condition":{"StringNotEquals":{"aws:PrincipalOrgID":"o-exampleorgid"}}}}`,
		After:       `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::b","arn:aws:s3:::b/*"],"Condition":{"StringNotEquals":{"aws:PrincipalOrgID":"o-exampleorgid"},"BoolIfExists":{"aws:PrincipalIsAWSService":"false"}}}}`,
		explains:    []*Rule{servicePrincipalLockedOut, networkDenyServices},
		statement: func(s *statement) {
			c := s.first(negated, identityKeys...)
			if s.denies() && c != nil && lower(c) != "aws:principalarn" && s.reachesServices() && s.applies(inOwnName, append(slices.Clone(identityKeys), networkKeys...)...) == kleene.True {
				s.report(source.Warning, c.KeyRange, s.denied(chain.ServicePrincipal), "services that call in their own name do not carry %s", c.Key)
			}
			if c := s.first(negated, identityKeys[:2]...); s.denies() && c != nil && s.everyone() {
				s.foreign(c)
			}
		},
	}
	resourceAccountDeny = &Rule{
		ID: "resource-perimeter-without-exemptions", Code: "H29",
		Title:       "A resource perimeter meets what AWS itself owns",
		Severity:    source.Warning,
		Rationale:   "Machine images, layers, managed policies, SSM documents and some buckets belong to accounts of AWS. A Deny of every resource outside the account or organization meets them, and actions for which the key is not sent.",
		Remediation: "Exempt what AWS owns by NotResource or NotAction, as the data perimeter samples do, or limit the statement to the resources that are meant.",
		Page:        "Building a data perimeter on AWS",
		Kind:        policy.SCP,
		Before:      `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringNotEqualsIfExists":{"aws:ResourceOrgID":"o-exampleorgid"}}}}`,
		After:       `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":["kms:Encrypt","s3:PutObject","sqs:SendMessage"],"Resource":"*","Condition":{"StringNotEqualsIfExists":{"aws:ResourceOrgID":"o-exampleorgid"}}}}`,
		statement: func(s *statement) {
			keys := []string{"aws:resourceaccount", "aws:resourceorgid", "aws:resourceorgpaths"}
			c := s.first(negated, keys...)
			switch {
			case c != nil && s.denies() && s.doc.Kind == policy.VPCEndpoint && s.ownOrganization(c):
				s.report(source.Warning, c.KeyRange, nil, "principals of other organizations may reach their own organization through the endpoint").Remediation = ownOrganizationRemedy
			case c != nil && s.denies() && s.anyBucket() && (s.allActions() || s.covers("s3:GetObject") || s.covers("ssm:GetDocument")) && !s.Actions.Not &&
				len(s.on("aws:resourcetag/", "aws:calledviafirst", "aws:calledvia", "aws:viaawsservice")) == 0:
				owned := "machine images and layers"
				if !s.allResources() {
					owned = "the buckets that its agents read"
				}
				s.report(source.Warning, c.KeyRange, nil, "it denies resources that AWS owns, such as %s", owned)
			case c != nil && s.denies() && s.allResources() && s.applies(direct) == kleene.True:
				if met := slices.DeleteFunc(request.WithoutResourceAccount(), func(action string) bool { return !s.covers(action) }); len(met) > 0 {
					s.report(source.Info, c.KeyRange, nil, "calls of %s do not carry %s and are always denied", listed(met), c.Key).Remediation = "Leave the actions out of the Deny, or keep them if they are to be denied."
				}
			case s.allows() && s.doc.Kind == policy.VPCEndpoint:
				if c := s.first(positive, "aws:resourceorgid"); c != nil && s.ownOrganization(c) {
					s.report(source.Warning, c.KeyRange, nil, "principals of other organizations may reach their own organization through the endpoint").Remediation = ownOrganizationRemedy
				}
			}
		},
	}
	keyPolicy = &Rule{
		ID: "kms-key-policy", Code: "H37",
		Title:       "A key policy locks its owner out or lets strangers in",
		Severity:    source.Error,
		Rationale:   "A key has no way in but its policy: one that gives no principal of the account the right to change it cannot be mended. A policy for everyone needs a condition that tells the account or the service.",
		Remediation: `Keep the statement that allows kms:* to the account ("arn:aws:iam::ACCOUNT:root"), and confine "*" by kms:CallerAccount or aws:PrincipalOrgID.`,
		Page:        "Default key policy",
		Kind:        policy.Resource,
		Before:      `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*"}}`,
		After:       `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*"}}`,
		explains:    []*Rule{publicAccess},
		document:    (*document).keyPolicy,
		statement:   (*statement).keyThroughS3,
	}
	openTrust = &Rule{
		ID: "open-trust-policy", Code: "H38",
		Title:       "A trust policy lets strangers assume the role",
		Severity:    source.Error,
		Rationale:   "A role that everyone may assume, or everyone whom an identity provider knows, belongs to everyone: GitHub, Google and Cognito vouch for all their users.",
		Remediation: "Name the accounts or roles, or add the audience (aud) and subject (sub) of the tokens to the condition. Services belong to no organization: leave aws:PrincipalOrgID out for them.",
		Page:        "IAM JSON policy elements: Principal",
		Kind:        policy.Trust,
		Before:      `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"},"Action":"sts:AssumeRoleWithWebIdentity"}}`,
		After:       `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringEquals":{"token.actions.githubusercontent.com:aud":"sts.amazonaws.com","token.actions.githubusercontent.com:sub":"repo:example/app:ref:refs/heads/main"}}}}`,
		explains:    []*Rule{publicAccess},
		statement:   (*statement).trust,
	}
	boundaryEscape = &Rule{
		ID: "boundary-escape", Code: "H45",
		Title:       "A grant by ARN of the session passes by the permissions boundary",
		Severity:    source.Info,
		Rationale:   "What a resource-based policy grants to everyone, narrowed by aws:PrincipalArn, is a grant to the caller itself, which a permissions boundary or session policy does not limit. A grant to the role as Principal is limited by both.",
		Remediation: "Name the role as Principal if its boundary is meant to hold.",
		Page:        "Policy evaluation logic",
		Kind:        policy.Resource,
		Before:      `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*","Condition":{"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/App"}}}}`,
		After:       `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/App"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}}`,
		statement: func(s *statement) {
			if c := s.first(positive, "aws:principalarn"); s.allows() && s.everyone() && c != nil && s.doc.Kind == policy.Resource {
				s.report(source.Info, c.KeyRange, nil, "the permissions boundary of the callers it names does not limit it")
			}
		},
	}
	scpScope = &Rule{
		ID: "organization-policy-scope", Code: "H43",
		Title:    "An organization policy is aimed at what it does not bind, or leaves nothing allowed",
		Severity: source.Error,
		Rationale: "A service control policy binds principals of member accounts: not services that call in their own name, not callers from outside, not the management account. " +
			"At every level, from the root to the account, some policy has to allow a call: where FullAWSAccess is detached and the others only deny, nothing is allowed. A resource control policy binds resources of the services on its list.",
		Remediation: "Restrict services and outsiders by a resource control policy or the resource's own policy, and services that resource control policies do not reach by their own policies.",
		Page:        "Service control policies (SCPs)",
		Kind:        policy.SCP,
		Before:      `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"Bool":{"aws:PrincipalIsAWSService":"true"}}}}`,
		After:       `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}}`,
		statement:   (*statement).orgScope,
		document:    (*document).orgLevel,
	}
)

// listed names the first of some words, and how many there are more.
func listed(words []string) string {
	const most = 3
	if len(words) > most+1 {
		return fmt.Sprintf("%s and %d more", strings.Join(words[:most], ", "), len(words)-most)
	}
	return strings.Join(words, ", ")
}

// anyBucket reports whether the statement speaks of every resource, or of every bucket.
func (s *statement) anyBucket() bool {
	return s.allResources() || s.Resources != nil && !s.Resources.Not && slices.ContainsFunc(s.Resources.Entries, func(p policy.ResourcePattern) bool {
		text, _ := p.Text().Literal()
		return strings.HasSuffix(text, ":s3:::*") || strings.HasSuffix(text, ":s3:::*/*")
	})
}

const ownOrganizationRemedy = "Name the organization by its id, or ask for aws:PrincipalOrgID too."

// ownOrganization reports whether a condition compares with the organization of the
// caller, of which nothing in the policy says that it is the customer's.
func (s *statement) ownOrganization(c *condition.Condition) bool {
	return strings.Contains(strings.ToLower(strings.Join(literals(c), " ")), "${aws:principalorgid}") &&
		!s.doc.asks(identityKeys...)
}

// foreign looks for callers that another statement lets in and that belong to no
// organization of the customer, though they are no services, and for the users of
// identity providers.
func (s *statement) foreign(c *condition.Condition) {
	for other := range s.doc.statements() {
		if !other.allows() || s.doc.Kind != policy.Resource {
			continue
		}
		for _, p := range other.principals(policy.AWS) {
			if ctx, ok := ofAWS(p); ok && s.applies(ctx, networkKeys...) == kleene.True {
				s.report(source.Warning, c.KeyRange, nil, "%s, whom statement %d lets in, belongs to no organization of the customer", p, other.Index).Remediation =
					"Exempt it by aws:PrincipalAccount or aws:PrincipalArn, or let the service take its place that has, with origin access control or the present way of delivery."
				return
			}
		}
	}
	federated := slices.ContainsFunc([]string{"sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity"}, s.covers)
	if s.doc.Kind == policy.RCP && federated && s.applies(identityProvider, networkKeys...) == kleene.True {
		s.report(source.Warning, c.KeyRange, func(r *chain.Replay, hop *chain.HopResult) bool {
			return hop.Credentials == chain.Federated && hop.Hop == r.BrokenHop && s.decided(hop) && grants(hop) != nil
		}, "the users of identity providers do not carry %s as they assume a role", c.Key).Remediation =
			"Leave sts:AssumeRoleWithSAML and sts:AssumeRoleWithWebIdentity out of the Deny, and restrict identity providers by a statement of its own."
	}
}

// loadBalancing are the accounts of Elastic Load Balancing that deliver access logs in
// Regions from before August 2022 (AWS page "Enable access logs for your Application
// Load Balancer").
var loadBalancing = strings.Fields(`127311923021 033677994240 027434742980 797873946194 098369216593 754344448648 589379963580
	718504428378 383597477331 600734575887 114774131450 783225319266 582318560864 985666609251 054676820928 156460612806
	652711504416 635631232127 009996457667 897822967062 076674570225 507241528517 048591011584 190560391635 638102146993 037604701340`)

// ofAWS returns the context of calls by an identity in an account of AWS.
func ofAWS(principal string) (ctx request.Context, ok bool) {
	account := principal
	if parts := strings.SplitN(principal, ":", 6); len(parts) == 6 {
		account = parts[4]
	}
	if account != "cloudfront" && !slices.Contains(loadBalancing, account) {
		return ctx, false
	}
	ctx = direct.Clone()
	ctx.Delete("aws:PrincipalOrgID")
	ctx.SetString("aws:PrincipalAccount", account)
	ctx.SetString("aws:PrincipalArn", principal)
	return ctx, true
}

// namesRest reports whether NotResource leaves little: for actions that only read, and
// for those that work on resources of several types of which it lists one, as
// ec2:CreateVpcEndpoint works on endpoints and on the subnets that they are made in.
func (s *statement) namesRest() bool {
	return !slices.ContainsFunc(s.Actions.Entries, func(a policy.Action) bool {
		text, _ := a.Text.Literal()
		action, known := awsref.LookupAction(text)
		if !known || wild(text) {
			return true
		}
		reads := !slices.ContainsFunc(action.AccessLevels, func(l awsref.AccessLevel) bool { return l != awsref.List && l != awsref.Read })
		return !reads && !s.leavesOut(text)
	})
}

// leavesOut reports whether NotResource lists resources of some types that an action
// works on by their type alone, and not those of others.
func (s *statement) leavesOut(action string) bool {
	arns, _ := s.doc.worksOn(action)
	out := 0
	for _, shape := range arns {
		some := placeholder.ReplaceAllString(strings.Replace(shape.text.String(), "${Partition}", "aws", 1), "some")
		if slices.ContainsFunc(s.Resources.Entries, func(r policy.ResourcePattern) bool {
			truth, _ := r.MatchResource(symbol.Literal(some), nil)
			return truth == kleene.True
		}) {
			out++
		}
	}
	return out > 0 && out < len(arns)
}

// withoutAncestor returns an ARN that NotPrincipal lists without all that AWS
// compares before it: its account and, for a session, its role.
func (s *statement) withoutAncestor() string {
	var entries []string
	for i := range s.Principals.Entries {
		entries = append(entries, s.Principals.Entries[i].Text.String())
	}
	for _, e := range entries {
		parts := strings.SplitN(e, ":", 6)
		if len(parts) < 6 || parts[5] == "root" {
			continue
		}
		account := slices.Contains(entries, parts[4]) || slices.Contains(entries, "arn:"+parts[1]+":iam::"+parts[4]+":root")
		role, session := strings.CutPrefix(parts[5], "assumed-role/")
		role, _, _ = strings.Cut(role, "/")
		if !account || session && !slices.Contains(entries, "arn:"+parts[1]+":iam::"+parts[4]+":role/"+role) {
			return e
		}
	}
	return ""
}

// delivers are services that deliver logs, whose statements AWS's own pages show
// without conditions.
var delivers = []string{"cloudtrail.amazonaws.com", "config.amazonaws.com", "delivery.logs.amazonaws.com", "logging.s3.amazonaws.com"}

// unsaid reports whether a service makes the calls of the statement in its own name
// without saying for whom, or for its own account alone. A condition would shut it
// out. (AWS pages "Using resource-based policies for Amazon EventBridge", "Managing
// Amazon SNS encryption keys and costs" and "CreatePermission" of AWS Private CA.)
func (s *statement) unsaid(service string) bool {
	switch service {
	case "events.amazonaws.com":
		return s.onlyOf("kms", "logs", "sns")
	case "cloudformation.amazonaws.com": // where it calls a macro
		return s.onlyOf("lambda")
	case "acm.amazonaws.com":
		return s.onlyOf("acm-pca")
	}
	return strings.Contains(service, "elasticloadbalancing") || strings.HasPrefix(service, "logdelivery.elb")
}

func (s *statement) confusedDeputy() {
	if !s.allows() || s.doc.Kind != policy.Resource {
		return
	}
	severity := source.Warning
	if s.onlyOf("kms", "sts") { // where some services do not say for whom they call
		severity = source.Info
	}
	for _, c := range s.on("aws:sourcearn") {
		s.sourceArn(severity, c)
	}
	if s.everyone() || s.gated() || s.first(confines, forWhom...) != nil {
		return // open to more than services, to none, or for somebody alone
	}
	for _, service := range s.principals(policy.Service) {
		if !s.unsaid(service) {
			s.report(severity, s.Principals.Range, nil, "%s is let in on behalf of anybody", service)
		}
		if slices.Contains(delivers, service) {
			return // one of a set that AWS documents together
		}
	}
}

// deputyDeny looks for a Deny of services that call for other accounts, which also meets
// calls that are not made for any. (One that asks for aws:SourceArn is mostly meant to
// leave a single resource in.)
func (s *statement) deputyDeny() {
	c := s.first(negated, "aws:sourceaccount", "aws:sourceorgid", "aws:sourceorgpaths")
	if !s.denies() || c == nil || !s.everyone() || !s.reachesServices() {
		return
	}
	const remedy = `Add "Bool": {"aws:PrincipalIsAWSService": "true"} and "Null": {"aws:SourceAccount": "false"} to the condition of the Deny.`
	switch {
	case s.first(negated, append(slices.Clone(networkKeys), identityKeys...)...) == nil && s.applies(direct) == kleene.True:
		s.report(source.Warning, c.KeyRange, s.denied(chain.Caller), "it denies callers that are no services too, which do not carry %s", c.Key).Remediation = remedy
	case s.applies(forNobody, networkKeys...) == kleene.True && !s.onlyOf("kms"):
		s.report(source.Warning, c.KeyRange, s.denied(chain.ServicePrincipal), "it denies services whose calls do not carry %s too, as nothing asks whether it is there", c.Key).Remediation = remedy
	}
}

// forWhom are keys by which a statement says for whom a service may call.
var forWhom = slices.Concat(sourceKeys, []string{
	"kms:grantisforawsresource", "kms:viaservice", "kms:calleraccount", "kms:encryptioncontext:", "lambda:eventsourcetoken",
})

// confines reports whether a condition is met by some values of its key alone.
func confines(c *condition.Condition) bool {
	return requires(c) && !slices.ContainsFunc(literals(c), func(v string) bool { return strings.Trim(v, "*") == "" })
}

// identifies reports whether a condition about who calls names whose account or
// organization it is: a wildcard in its place is everybody's.
func identifies(c *condition.Condition) bool {
	return confines(c) && !slices.ContainsFunc(literals(c), func(v string) bool {
		if parts := strings.Split(v, ":"); len(parts) > 4 {
			v = parts[4] // the account of an ARN
		}
		id, _, _ := strings.Cut(v, "/")
		return strings.ContainsAny(id, "*?")
	})
}

// sourceArn looks for values of aws:SourceArn that do not say who it is.
func (s *statement) sourceArn(severity source.Severity, c *condition.Condition) {
	for i := range c.Values {
		text := c.Values[i].Text.String()
		switch {
		case !positive(c):
		case strings.HasPrefix(text, "arn:aws:s3:::") && len(s.on("aws:sourceaccount", "aws:sourceorgid", "aws:sourceorgpaths")) == 0:
			s.report(severity, c.Values[i].Range, nil, "%s names no account, and a bucket's name may become another's", text)
		case strings.Contains(text, ":iam::") || strings.Contains(text, ":sts::"):
			s.report(source.Warning, c.Values[i].Range, nil, "aws:SourceArn is the resource a service calls for, never a principal such as %s", text)
		}
	}
}

// onlyOf reports whether all actions of the statement are of some services.
func (s *statement) onlyOf(services ...string) bool {
	if s.Actions.Not {
		return false
	}
	for i := range s.Actions.Entries {
		text, _ := s.Actions.Entries[i].Text.Literal()
		prefix, _, _ := strings.Cut(strings.ToLower(text), ":")
		if !slices.Contains(services, prefix) {
			return false
		}
	}
	return true
}

// ofKeys reports whether the policy is that of a KMS key: by what it is attached to,
// and else by its actions, which are of AWS KMS alone.
func (d *document) ofKeys() bool {
	if len(d.targets) > 0 {
		return slices.ContainsFunc(d.targets, isKey)
	}
	kms := false
	for s := range d.statements() {
		if !s.onlyOf("kms") && !s.allActions() {
			return false
		}
		kms = kms || s.onlyOf("kms")
	}
	return kms
}

func isKey(t *chain.Target) bool { return t.Kind == chain.KeyTarget }

func (d *document) keyPolicy(rule *Rule) {
	if d.Kind != policy.Resource || d.Grant || !d.ofKeys() {
		return
	}
	managed, certain := slices.ContainsFunc(d.targets, d.managed), true
	for s := range d.statements() {
		certain = certain && len(s.Unknown) == 0
		managed = managed || s.allows() && s.covers("kms:PutKeyPolicy") && len(s.Conditions) == 0
	}
	for s := range d.statements() {
		if s.rule = rule; len(s.Unknown) == 0 {
			s.keyStatement()
		}
	}
	if !managed && certain && len(d.targets) > 0 {
		d.add(rule, nil, source.Warning, source.Range{}, -1, "no statement lets anybody change it: if it is wrong, nobody can mend it")
	}
}

// managed reports whether some policy of a target, such as the key's beside a grant,
// lets somebody change it.
func (d *document) managed(t *chain.Target) bool {
	for _, a := range t.Policies {
		for s := range d.document(a.Document).statements() {
			if len(s.Unknown) > 0 || s.allows() && s.covers("kms:PutKeyPolicy") && len(s.Conditions) == 0 {
				return true
			}
		}
	}
	return false
}

func (s *statement) keyStatement() {
	crossed := func() bool {
		return slices.ContainsFunc(inAccount["kms"].actions, func(name string) bool { return s.covers("kms:" + name) })
	}
	if s.allows() && s.everyone() && crossed() && s.first(positive, "kms:calleraccount", "kms:viaservice", "aws:principalorgid", "aws:principalorgpaths", "aws:principalaccount", "aws:principalarn", "aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid") == nil {
		s.report(source.Warning, s.Range, func(r *chain.Replay, hop *chain.HopResult) bool {
			return s.decided(hop) && allowed(r) && r.Principal.StandIn == chain.StandInOutside
		}, "it lets every account of AWS use the key")
	}
	for _, c := range s.on("kms:viaservice") {
		for i := range c.Values {
			text, known := c.Values[i].Text.Literal()
			if known && !strings.ContainsAny(text, "*?$") && strings.Count(text, ".") < 3 {
				s.report(source.Error, c.Values[i].Range, nil, "kms:ViaService holds the service with its Region, such as s3.eu-west-1.amazonaws.com, never %q", text)
			}
		}
	}
	c := s.first(positive, sourceKeys[:4]...)
	if s.denies() {
		c = s.first(negated, sourceKeys[:4]...)
	}
	grants := s.allows() && s.covers("kms:CreateGrant") && len(s.principals(policy.Service)) == 0
	if c != nil && (grants || s.denies() && s.covers("kms:Decrypt") && s.applies(forNobody) == kleene.True) {
		s.report(source.Info, c.KeyRange, nil, "%s may be absent where a grant is used", c.Key)
	}
}

// keyThroughS3 looks for a statement about keys that asks for S3 as a service of a
// chain, which it may not be.
func (s *statement) keyThroughS3() {
	if c := s.first(func(c *condition.Condition) bool { return holds(c, "s3.amazonaws.com") }, calledViaKeys...); c != nil && s.onlyOf("kms") {
		s.report(source.Info, c.KeyRange, nil, "AWS's pages disagree on whether %s names S3 where S3 uses a key", c.Key).Remediation = "Ask for kms:ViaService, such as s3.eu-west-1.amazonaws.com."
	}
}

func (s *statement) trust() {
	if s.doc.Kind != policy.Trust || !s.allows() {
		return
	}
	if s.everyone() && s.first(identifies, "aws:principalorgid", "aws:principalorgpaths", "aws:principalaccount", "aws:principalarn") == nil {
		text := "everyone may assume the role"
		if s.first(confines, "sts:externalid") != nil {
			text = "everyone who knows the external ID may assume the role, and AWS does not take it for a secret"
		}
		s.report(source.Warning, s.Range, func(r *chain.Replay, hop *chain.HopResult) bool {
			return s.decided(hop) && allowed(r) && r.Principal.StandIn == chain.StandInOutside
		}, "%s", text)
	}
	for i := range s.Principals.Entries {
		p := &s.Principals.Entries[i]
		provider := p.Text.String()
		_, issuer, _ := strings.Cut(provider, ":oidc-provider/")
		switch {
		case p.Type != policy.Federated || s.Principals.Not || s.asksWhose(provider):
		case s.first(confines, strings.ToLower(issuer)+":aud") != nil:
			s.report(source.Warning, s.Principals.Range, nil, "the audience tells no customer of %s from another, and no other claim is asked for that does", issuer).Remediation =
				"Add the subject (sub) of the tokens to the condition, with the name of the organization or project in it."
		case strings.Contains(provider, ":saml-provider/"):
			s.report(source.Info, s.Principals.Range, nil, "it does not ask for the audience, SAML:aud, that %s vouches for", provider)
		case p.Text.Known() || strings.Contains(provider, ":oidc-provider/"):
			s.report(source.Warning, s.Principals.Range, nil, "everyone whom %s knows may assume the role", provider)
		}
	}
	if c := s.first(positive, "aws:principalorgid", "aws:principalorgpaths"); c != nil && !c.Operator.IfExists && len(s.principals(policy.Service)) > 0 && !s.everyone() && len(s.principals(policy.AWS)) == 0 {
		s.report(source.Error, c.KeyRange, nil, "services belong to no organization and never carry %s", c.Key)
	}
}

// sharedIssuers vouch for all their users with the same audience, so that only what
// they say of a user tells whose token it is. (IAM page "Identity provider controls
// for shared OIDC providers".)
var sharedIssuers = []string{
	"agent.buildkite.com", "app.terraform.io", "gitlab.com", "oidc-configuration.audit-log.githubusercontent.com", "oidc.codefresh.io",
	"proidc.upbound.io", "scalr.io", "studio.datachain.ai/api", "token.actions.githubusercontent.com", "tokens.cloud.shisho.dev",
	"vstoken.actions.githubusercontent.com",
}

// asksWhose reports whether a trust policy asks whose token it is that a provider
// vouches for.
func (s *statement) asksWhose(provider string) bool {
	_, issuer, ok := strings.Cut(strings.ToLower(provider), ":oidc-provider/")
	if !ok {
		issuer = strings.ToLower(provider)
	}
	return slices.ContainsFunc(s.Conditions, func(c condition.Condition) bool {
		i := strings.LastIndexByte(c.Key, ':')
		of, claim := strings.ToLower(c.Key[:max(i, 0)]), strings.ToLower(c.Key[i+1:])
		switch {
		case !confines(&c) || of != issuer && of != "saml" && !strings.Contains(issuer, "${"):
			return false
		case slices.Contains(sharedIssuers, of):
			return slices.Contains(whose, claim) && !slices.ContainsFunc(literals(&c), func(v string) bool { return anyOwner(&c, claim, v) })
		}
		return slices.Contains([]string{"aud", "sub", "oaud", "app_id", "sub_type"}, claim)
	})
}

var (
	// whose are the claims of shared issuers that name a user, project or organization.
	whose = []string{
		"sub", "actor", "actor_id", "enterprise", "enterprise_id", "job_workflow_ref", "namespace_id", "namespace_path", "project_id", "project_path",
		"repository", "repository_id", "repository_owner", "repository_owner_id",
	}
	ownerOfSubject = regexp.MustCompile(`^[^:*?]+:[^/:*?]+[/:]`)
	ownerOfName    = regexp.MustCompile(`^[^/*?]+/`)
)

// anyOwner reports whether a wildcard of a claim stands for the name of the owner or
// a part of it, which everybody may choose: "repo:*", "repo:example*".
func anyOwner(c *condition.Condition, claim, value string) bool {
	like := strings.Contains(string(c.Operator.Base), "Like")
	owner := ownerOfName
	if claim == "sub" {
		owner = ownerOfSubject
	}
	return like && wild(value) && !owner.MatchString(value)
}

func (s *statement) orgScope() {
	if s.doc.Kind == policy.SCP {
		for _, c := range s.on("aws:principalisawsservice", "aws:principalservicename", "aws:principalservicenameslist") {
			if s.denies() && positive(c) && !c.Operator.IfExists && (lower(c) != "aws:principalisawsservice" || holds(c, "true")) {
				s.report(source.Warning, c.KeyRange, nil, "service control policies never bind services that call in their own name")
			}
		}
		for _, c := range s.on("aws:principalarn") {
			if s.denies() && positive(c) && len(c.Values) > 0 && len(literals(c)) == len(c.Values) && !slices.ContainsFunc(literals(c), func(v string) bool { return !strings.Contains(v, ":role/aws-service-role/") }) {
				s.report(source.Warning, c.KeyRange, nil, "service control policies never bind service-linked roles")
			}
		}
		if s.doc.World != nil && s.denies() {
			env := s.doc.World.Environment()
			c := s.first(positive, "aws:principalaccount")
			if account, known := env.Account.Literal(); c != nil && known && env.ManagementAccount && slices.Equal(literals(c), []string{account}) {
				s.report(source.Warning, c.KeyRange, nil, "service control policies never bind the management account").Remediation = "Keep workloads out of the management account."
			}
		}
		if c := s.first(negated, "aws:principalorgid"); s.denies() && c != nil {
			s.report(source.Warning, c.KeyRange, nil, "service control policies bind principals of the organization alone, whose %s is always its own", c.Key)
		}
	}
	if s.doc.Kind == policy.RCP && !s.Actions.Not {
		for i := range s.Actions.Entries {
			a := &s.Actions.Entries[i]
			text, _ := a.Text.Literal()
			prefix, _, ok := strings.Cut(strings.ToLower(text), ":")
			if ok && !strings.ContainsAny(prefix, "*?") && !awsref.RCPService(prefix) {
				s.report(source.Warning, a.Range, nil, "resource control policies do not reach %s", prefix)
			}
		}
	}
}

// orgLevel looks at where a service control policy is attached: to the management
// account, which none binds, or at a level where no policy allows anything.
func (d *document) orgLevel(rule *Rule) {
	if d.Kind != policy.SCP || d.World == nil {
		return
	}
	env := d.World.Environment()
	for i, level := range env.SCP {
		here := slices.IndexFunc(level, func(a policy.Attached) bool { return a.Document == d.Document })
		switch {
		case here < 0:
		case env.ManagementAccount:
			if i == len(env.SCP)-1 && level[here].Sure == kleene.True {
				d.add(rule, nil, source.Warning, d.Range, -1, "it is attached to the management account, which service control policies do not bind").Remediation = "Attach it to units of member accounts, and keep workloads out of the management account."
			}
		case here == 0 && closed(level):
			severity, replay := source.Warning, slices.IndexFunc(d.Replays, deniedByLevel)
			if replay >= 0 {
				severity = source.Error
			}
			d.add(rule, nil, severity, d.Range, replay, "no policy at its level of the organization allows anything, so that all calls are denied below it").Remediation = "Leave FullAWSAccess attached beside policies that only deny."
		}
	}
}

// closed reports whether a level of service control policies has none that allows
// anything: what it refuses, it refuses for that.
func closed(level engine.Level) bool {
	return len(level) > 0 && !slices.ContainsFunc(level, func(a policy.Attached) bool {
		return a.Unread != "" || slices.ContainsFunc(a.Statements, func(st policy.Statement) bool { return st.Effect == policy.Allow })
	})
}

func closedTo(p *chain.Principal) bool { return slices.ContainsFunc(p.SCP, closed) }

// deniedByLevel reports whether a call that a principal of the input is granted misses
// the Allow of a service control policy, where a level has none.
func deniedByLevel(r *chain.Replay) bool {
	if len(r.Hops) == 0 || r.Principal.StandIn != "" || !closedTo(r.Principal) {
		return false
	}
	hop := brokenHop(r)
	return grants(hop) != nil && slices.Contains(hop.Missing, policy.SCP)
}
