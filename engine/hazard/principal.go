package hazard

import (
	"slices"
	"strings"

	"github.com/tfguard/tfguard/engine/awsref"
	"github.com/tfguard/tfguard/engine/chain"
	"github.com/tfguard/tfguard/engine/condition"
	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/source"
)

// sourceKeys say on whose behalf a service calls in its own name.
var sourceKeys = []string{"aws:sourcearn", "aws:sourceaccount", "aws:sourceorgid", "aws:sourceorgpaths", "aws:sourceowner", "aws:principalorgid"}

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
		explains:    []*Rule{PublicAccess, ChainBroken, ServicePrincipalLockedOut},
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
		explains:    []*Rule{PublicAccess},
		statement: func(s *statement) {
			switch {
			case !s.allows() || s.doc.Kind == policy.SCP || s.doc.Kind == policy.Boundary || s.doc.Kind == policy.VPCEndpoint:
				// These only limit: an exception in them grants nothing.
			case s.Actions.Not && (s.covers("iam:PassRole") || s.covers("iam:CreateServiceLinkedRole")):
				s.report(source.Warning, s.Actions.Range, nil, "it allows all actions but those it lists, iam:PassRole among them")
			case s.Resources != nil && s.Resources.Not:
				s.report(source.Warning, s.Resources.Range, nil, "it allows every resource but those it lists")
			}
		},
	}
	confusedDeputy = &Rule{
		ID: "confused-deputy", Code: "H23",
		Title:       "A service is let in on behalf of anybody",
		Severity:    source.Warning,
		Rationale:   "A service calls in its own name for all its customers. A statement that names the service and not for whom it may call lets any account of AWS use the service to reach the resource.",
		Remediation: "Add aws:SourceArn, aws:SourceAccount or aws:SourceOrgID to the condition. The ARN of a bucket names no account: add aws:SourceAccount beside it.",
		Page:        "The confused deputy problem",
		Kind:        policy.Resource,
		Before:      `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},"Action":"sqs:SendMessage","Resource":"arn:aws:sqs:eu-west-1:111122223333:q"}}`,
		After:       `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},"Action":"sqs:SendMessage","Resource":"arn:aws:sqs:eu-west-1:111122223333:q","Condition":{"ArnEquals":{"aws:SourceArn":"arn:aws:sns:eu-west-1:111122223333:t"}}}}`,
		statement:   (*statement).confusedDeputy,
	}
	orgDeny = &Rule{
		ID: "organization-deny-locks-out-services", Code: "H24",
		Title:       "A Deny by organization also meets services that call in their own name",
		Severity:    source.Error,
		Rationale:   "A service principal belongs to no organization and to no account of the customer: it does not carry aws:PrincipalOrgID, and a negated operator is true for an absent key. Log delivery and CloudFront are then denied.",
		Remediation: `Add "BoolIfExists": {"aws:PrincipalIsAWSService": "false"} to the condition of the Deny.`,
		Page:        "AWS global condition context keys",
		Kind:        policy.Resource,
		Before:      `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::b","arn:aws:s3:::b/*"],"Condition":{"StringNotEquals":{"aws:PrincipalOrgID":"o-exampleorgid"}}}}`,
		After:       `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::b","arn:aws:s3:::b/*"],"Condition":{"StringNotEquals":{"aws:PrincipalOrgID":"o-exampleorgid"},"BoolIfExists":{"aws:PrincipalIsAWSService":"false"}}}}`,
		explains:    []*Rule{ServicePrincipalLockedOut},
		statement: func(s *statement) {
			keys := []string{"aws:principalorgid", "aws:principalorgpaths", "aws:principalaccount", "aws:principalarn"}
			c := s.first(negated, keys...)
			if s.denies() && c != nil && lower(c) != "aws:principalarn" && s.reachesServices() && s.applies(inOwnName, append(keys, networkKeys...)...) == kleene.True {
				s.report(source.Warning, c.KeyRange, s.denied(chain.ServicePrincipal), "services that call in their own name do not carry %s", c.Key)
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
		After:       `{"Version":"2012-10-17","Statement":{"Effect":"Deny","NotAction":["ec2:*","iam:*","lambda:GetLayerVersion","s3:GetObject","ssm:*"],"Resource":"*","Condition":{"StringNotEqualsIfExists":{"aws:ResourceOrgID":"o-exampleorgid"}}}}`,
		statement: func(s *statement) {
			c := s.first(negated, "aws:resourceaccount", "aws:resourceorgid", "aws:resourceorgpaths")
			switch {
			case c != nil && s.denies() && s.allResources() && (s.allActions() || s.covers("s3:GetObject") || s.covers("ssm:GetDocument")) && !s.Actions.Not &&
				len(s.on("aws:resourcetag/", "aws:calledviafirst", "aws:calledvia", "aws:viaawsservice")) == 0:
				s.report(source.Warning, c.KeyRange, nil, "it denies resources that AWS owns, such as machine images and layers")
			case s.allows() && s.doc.Kind == policy.VPCEndpoint:
				c := s.first(positive, "aws:resourceorgid")
				if c != nil && strings.Contains(strings.ToLower(strings.Join(literals(c), " ")), "${aws:principalorgid}") && len(s.on("aws:principalorgid", "aws:principalaccount")) == 0 {
					s.report(source.Warning, c.KeyRange, nil, "principals of other organizations may reach their own organization through the endpoint")
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
		explains:    []*Rule{PublicAccess},
		document:    (*document).keyPolicy,
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
		explains:    []*Rule{PublicAccess},
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
		Title:       "An organization policy is aimed at what it does not bind",
		Severity:    source.Warning,
		Rationale:   "A service control policy binds principals of member accounts: not services that call in their own name, not callers from outside. A resource control policy binds resources of the services on its list.",
		Remediation: "Restrict services and outsiders by a resource control policy or the resource's own policy, and services that resource control policies do not reach by their own policies.",
		Page:        "Service control policies (SCPs)",
		Kind:        policy.SCP,
		Before:      `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"Bool":{"aws:PrincipalIsAWSService":"true"}}}}`,
		After:       `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}}`,
		statement:   (*statement).orgScope,
	}
)

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

// anonymousSource reports whether a service calls in its own name without saying for
// whom. (EventBridge does so where it
// writes to CloudWatch Logs, and CloudFormation where it calls a macro.)
func anonymousSource(service string) bool {
	return strings.Contains(service, "elasticloadbalancing") || strings.HasPrefix(service, "logdelivery.elb")
}

func (s *statement) confusedDeputy() {
	if !s.allows() || s.doc.Kind != policy.Resource {
		return
	}
	for i := range s.Conditions {
		s.sourceArn(&s.Conditions[i])
	}
	if s.everyone() || s.gated() {
		return // open to more than services, or to none
	}
	for _, service := range s.principals(policy.Service) {
		switch {
		case anonymousSource(service) || service == "cloudformation.amazonaws.com" && s.onlyOf("lambda") || service == "events.amazonaws.com" && s.onlyOf("logs") || len(s.on(sourceKeys...)) > 0 || len(s.on("kms:grantisforawsresource", "kms:viaservice", "kms:calleraccount")) > 0:
		case s.onlyOf("kms", "sts"):
			s.report(source.Info, s.Principals.Range, nil, "%s is let in on behalf of anybody", service)
		default:
			s.report(source.Warning, s.Principals.Range, nil, "%s is let in on behalf of anybody", service)
		}
		if slices.Contains(delivers, service) {
			return // one of a set that AWS documents together
		}
	}
}

// sourceArn looks for values of aws:SourceArn that do not say who it is.
func (s *statement) sourceArn(c *condition.Condition) {
	if lower(c) != "aws:sourcearn" || !positive(c) {
		return
	}
	for i := range c.Values {
		text := c.Values[i].Text.String()
		switch {
		case strings.HasPrefix(text, "arn:aws:s3:::") && len(s.on("aws:sourceaccount", "aws:sourceorgid", "aws:sourceorgpaths")) == 0:
			s.report(source.Warning, c.Values[i].Range, nil, "%s names no account, and a bucket's name may become another's", text)
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

func (d *document) keyPolicy() {
	if d.Kind != policy.Resource || d.Grant || len(d.Statements) == 0 {
		return
	}
	managed, certain := slices.ContainsFunc(d.targets, d.managed), true
	for i := range d.Statements {
		s := &statement{Statement: &d.Statements[i], doc: d}
		if !s.onlyOf("kms") && !s.allActions() {
			return // no key policy
		}
		certain = certain && len(s.Unknown) == 0
		managed = managed || s.allows() && s.covers("kms:PutKeyPolicy") && len(s.Conditions) == 0
	}
	for i := range d.Statements {
		if s := (&statement{Statement: &d.Statements[i], doc: d}); len(s.Unknown) == 0 {
			s.keyStatement()
		}
	}
	if !managed && certain && slices.ContainsFunc(d.targets, func(t *chain.Target) bool { return strings.Contains(t.ARN.String(), ":kms:") }) {
		d.add(nil, source.Warning, source.Range{}, -1, "no statement lets anybody change it: if it is wrong, nobody can mend it")
	}
}

// managed reports whether some policy of a target, such as the key's beside a grant,
// lets somebody change it.
func (d *document) managed(t *chain.Target) bool {
	for _, a := range t.Policies {
		for i := range a.Statements {
			s := &statement{Statement: &a.Statements[i], doc: d}
			if len(s.Unknown) > 0 || s.allows() && s.covers("kms:PutKeyPolicy") && len(s.Conditions) == 0 {
				return true
			}
		}
	}
	return false
}

func (s *statement) keyStatement() {
	if s.allows() && s.everyone() && s.first(positive, "kms:calleraccount", "kms:viaservice", "aws:principalorgid", "aws:principalorgpaths", "aws:principalaccount", "aws:principalarn", "aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid") == nil {
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
	if c := s.first(positive, sourceKeys[:4]...); c != nil && s.allows() && s.covers("kms:CreateGrant") && len(s.principals(policy.Service)) == 0 {
		s.report(source.Info, c.KeyRange, nil, "%s may be absent where a grant is used", c.Key)
	}
}

func (s *statement) trust() {
	if s.doc.Kind != policy.Trust || !s.allows() {
		return
	}
	if s.everyone() && s.first(positive, "aws:principalorgid", "aws:principalorgpaths", "aws:principalaccount", "aws:principalarn", "sts:externalid") == nil {
		s.report(source.Warning, s.Range, func(r *chain.Replay, hop *chain.HopResult) bool {
			return s.decided(hop) && allowed(r) && r.Principal.StandIn == chain.StandInOutside
		}, "everyone may assume the role")
	}
	claims := slices.ContainsFunc(s.Conditions, func(c condition.Condition) bool {
		_, claim, _ := cutLast(lower(&c), ":")
		return positive(&c) && !c.Operator.IfExists && slices.Contains([]string{"aud", "sub", "amr", "oaud", "sub_type"}, claim)
	})
	for i := range s.Principals.Entries {
		p := &s.Principals.Entries[i]
		provider := p.Text.String()
		switch {
		case p.Type != policy.Federated || claims || s.Principals.Not:
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

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
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
