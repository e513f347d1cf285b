package hazard

import (
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
)

var (
	calledViaEquals = &Rule{
		ID: "set-key-without-set-operator", Code: "H05",
		Title:       "A key that holds a set is compared with a single-valued operator",
		Severity:    source.Error,
		Rationale:   "aws:CalledVia and other keys hold a set of values. Without ForAnyValue or ForAllValues the comparison is not defined, and a call that carries the key was observed not to match.",
		Remediation: "Put ForAnyValue: before the operator, or ask for aws:CalledViaFirst or aws:CalledViaLast, which hold one value.",
		Page:        "Single-valued vs. multivalued context keys",
		Kind:        policy.Identity,
		Before:      `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*","Condition":{"StringEquals":{"aws:CalledVia":"athena.amazonaws.com"}}}}`,
		After:       `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*","Condition":{"ForAnyValue:StringEquals":{"aws:CalledVia":"athena.amazonaws.com"}}}}`,
		statement: func(s *statement) {
			for i := range s.Conditions {
				if c := &s.Conditions[i]; request.Multivalued(c.Key) && c.Operator.Set == condition.NoSet && positive(c) {
					s.report(source.Error, c.KeyRange, nil, "%s holds a set, and %s never matches it", c.Key, c.Operator)
				}
			}
		},
	}
	calledViaNotEquals = &Rule{
		ID: "negated-set-key", Code: "H06",
		Title:       "A Deny compares a set with an operator that lets calls through",
		Severity:    source.Error,
		Rationale:   "StringNotEquals over aws:CalledVia is not defined. With ForAnyValue it is false for a direct call, which has no such key, and true for any chain of two services: the Deny spares whom it should meet and meets whom it should spare.",
		Remediation: "Use StringNotEquals over aws:CalledViaFirst or aws:CalledViaLast, or ForAllValues:StringNotEquals over aws:CalledVia, which is true when the key is absent.",
		Page:        "Single-valued vs. multivalued context keys",
		Kind:        policy.Identity,
		Before:      `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"ForAnyValue:StringNotEquals":{"aws:CalledVia":"athena.amazonaws.com"}}}}`,
		After:       `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"ForAllValues:StringNotEquals":{"aws:CalledVia":"athena.amazonaws.com"}}}}`,
		statement: func(s *statement) {
			// Of tags ForAnyValue asks what it says: that there are no others.
			for _, c := range s.on("aws:calledvia") {
				if s.denies() && negated(c) && c.Operator.Set != condition.ForAllValues {
					s.report(source.Error, c.KeyRange, nil, "%s over %s does not mean that no value is listed", c.Operator, c.Key)
				}
			}
		},
	}
	calledViaServicePrincipal = &Rule{
		ID: "called-via-for-service-principal", Code: "H08",
		Title:       "A service that calls in its own name is asked for the keys of a chain",
		Severity:    source.Error,
		Rationale:   "aws:CalledVia and aws:ViaAWSService tell of calls made with a caller's session. A service that calls in its own name, such as CloudTrail, AWS Config or S3 access logging, carries neither, so the statement never lets it in.",
		Remediation: "Name the service as Principal and ask for aws:SourceArn or aws:SourceAccount.",
		Page:        "Forward access sessions",
		Kind:        policy.Resource,
		Before:      `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::b/*","Condition":{"Bool":{"aws:ViaAWSService":"true"}}}}`,
		After:       `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::b/*","Condition":{"StringEquals":{"aws:SourceArn":"arn:aws:cloudtrail:eu-west-1:111122223333:trail/t"}}}}`,
		statement: func(s *statement) {
			for _, c := range s.on(serviceCallKeys...) {
				own := slices.IndexFunc(ownNameOnly, func(name string) bool { return holds(c, name) })
				switch services := s.principals(policy.Service); {
				case s.allows() && requires(c) && len(services) > 0 && len(services) == len(s.Principals.Entries):
					s.report(source.Error, c.KeyRange, nil, "%s calls in its own name and never carries %s", services[0], c.Key)
				case own >= 0 && (s.allows() && requires(c) || s.denies() && negated(c)):
					s.report(source.Error, c.KeyRange, nil, "%s never calls with another's session, so %s never names it", ownNameOnly[own], c.Key)
				}
			}
		},
	}
	serviceKeysForChain = &Rule{
		ID: "service-key-for-chain", Code: "H09",
		Title:       "A call made with somebody's session is asked for the keys of a service principal",
		Severity:    source.Error,
		Rationale:   "aws:PrincipalIsAWSService is true and aws:PrincipalServiceName present only where a service calls in its own name. A service that calls with a person's session, or with a role, is not that.",
		Remediation: "Ask for aws:ViaAWSService or aws:CalledVia where a service acts for a caller, and for aws:PrincipalArn where it has a role.",
		Page:        "AWS global condition context keys",
		Kind:        policy.Identity,
		Before:      `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*","Condition":{"Bool":{"aws:PrincipalIsAWSService":"true"}}}}`,
		After:       `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*","Condition":{"Bool":{"aws:ViaAWSService":"true"}}}}`,
		statement: func(s *statement) {
			if s.denies() {
				s.idleExemption()
				return
			}
			named := len(s.principals(policy.AWS)) > 0 && !s.everyone() && len(s.principals(policy.Service)) == 0
			if s.doc.Kind != policy.Identity && !(s.doc.Kind == policy.Resource && named) {
				return
			}
			for _, c := range s.on("aws:principalisawsservice", "aws:principalservicename", "aws:principalservicenameslist") {
				if requires(c) {
					s.report(source.Error, c.KeyRange, nil, "only services that call in their own name meet %s, and this statement does not speak of them", c.Key)
				}
			}
		},
	}
	calledViaServiceRole = &Rule{
		ID: "called-via-for-service-role", Code: "H10",
		Title:       "A service role is asked how it was called",
		Severity:    source.Warning,
		Rationale:   "A service that assumes a role calls with that role's own session: aws:CalledVia is absent and aws:ViaAWSService false, whoever began the work. (CloudFormation is the exception, on which AWS's pages disagree.)",
		Remediation: "Control the role by its trust policy and by iam:PassRole, and name it by aws:PrincipalArn where a resource asks.",
		Page:        "Forward access sessions",
		Kind:        policy.Identity,
		statement: func(s *statement) {
			service := s.servedBy()
			if service == "" {
				return
			}
			// Another service may be one that the role's own calls go through.
			for _, c := range s.on(calledViaKeys...) {
				switch {
				case !holds(c, service) || !(s.allows() && requires(c)) && !(s.denies() && negated(c)):
				case service == cloudFormation:
					s.report(source.Info, c.KeyRange, nil, "AWS's pages disagree on whether the calls of CloudFormation with the role carry %s", c.Key)
				default:
					s.report(source.Warning, c.KeyRange, nil, "%s assumes the role, and its calls with the role do not carry %s", service, c.Key)
				}
			}
		},
	}
	calledViaUnknown = &Rule{
		ID: "called-via-unknown-service", Code: "H11",
		Title:       "A value of aws:CalledVia names no service that is known to appear there",
		Severity:    source.Error,
		Rationale:   "aws:CalledVia holds service principals such as athena.amazonaws.com, never with a Region and not in the form of kms:ViaService. A value that is not one matches nothing.",
		Remediation: "Write the service principal, SERVICE.amazonaws.com. For a service that is not known to call with its callers' sessions ask for aws:ViaAWSService instead.",
		Page:        "AWS global condition context keys",
		Kind:        policy.Identity,
		Before:      `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*","Condition":{"StringEquals":{"aws:CalledViaFirst":"athena.eu-west-1.amazonaws.com"}}}}`,
		After:       `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*","Condition":{"StringEquals":{"aws:CalledViaFirst":"athena.amazonaws.com"}}}}`,
		statement: func(s *statement) {
			for _, c := range s.on(calledViaKeys...) {
				if c.Operator.Base != condition.Null {
					for i := range c.Values {
						s.calledViaValue(c, &c.Values[i])
					}
				}
			}
		},
	}
	infrastructureAsCode = &Rule{
		ID: "infrastructure-as-code-gate", Code: "H12",
		Title:    "A gate for infrastructure as code shuts out its own entry",
		Severity: source.Error,
		Rationale: "A Deny of everything that did not come through CloudFormation (StringNotEquals over aws:CalledViaFirst) is met by every direct call, " +
			"as the key is then absent: the calls that begin a stack operation must be in NotAction. A stack that Service Catalog began has that service first. " +
			"AWS's pages disagree on whether the calls of CloudFormation with a service role carry the key, so exempt such a role by aws:PrincipalArn. " +
			"The gate does not keep custom resources and macros of a stack from calling anything, and whoever may use CloudFormation can change whatever else is granted to them.",
		Remediation: "Put cloudformation:*, iam:PassRole, the upload of templates and the actions that read into NotAction, and do not add IfExists to a positive operator.",
		Page:        "AWS global condition context keys",
		Kind:        policy.SCP,
		Before:      `{"Version":"2012-10-17","Statement":{"Effect":"Deny","NotAction":["s3:*"],"Resource":"*","Condition":{"StringNotEquals":{"aws:CalledViaFirst":"cloudformation.amazonaws.com"}}}}`,
		After:       `{"Version":"2012-10-17","Statement":{"Effect":"Deny","NotAction":["cloudformation:*","ec2:Describe*","iam:PassRole","s3:*"],"Resource":"*","Condition":{"StringNotEquals":{"aws:CalledViaFirst":"cloudformation.amazonaws.com"}}}}`,
		explains:    []*Rule{chainBroken, grantVoid},
		statement: func(s *statement) {
			s.ifThroughCloudFormation()
			c := s.first(negated, "aws:calledviafirst")
			if !s.denies() || c == nil || !holds(c, cloudFormation) {
				return
			}
			entries := []string{"cloudformation:CreateStack", "cloudformation:UpdateStack", "cloudformation:DeleteStack", "cloudformation:CreateChangeSet", "cloudformation:ExecuteChangeSet", "iam:PassRole"}
			if i := slices.IndexFunc(entries, s.covers); i >= 0 {
				denied := s.denied(chain.Caller)
				s.report(source.Warning, s.Actions.Range, func(r *chain.Replay, hop *chain.HopResult) bool {
					return strings.HasPrefix(hop.Request.Action, "cloudformation:") && denied(r, hop)
				}, "it denies %s, without which nothing comes through CloudFormation", entries[i])
				return
			}
			throughAnother := func(r *chain.Replay, hop *chain.HopResult) bool {
				return s.denied(chain.FAS)(r, hop) && strings.HasPrefix(r.Hops[0].Request.Action, "servicecatalog:")
			}
			switch exempt := len(s.on("aws:principalarn")) > 0; {
			case s.doc.proves(throughAnother):
				s.report(source.Warning, c.KeyRange, throughAnother, "it denies what CloudFormation does for Service Catalog, which is then the first service")
			case s.doc.proves(s.denied(chain.ServiceRole)) && !exempt:
				s.report(source.Warning, c.KeyRange, s.denied(chain.ServiceRole), "it denies what services do with a role of their own, which comes through no other service")
			case s.covers("s3:PutObject") && s.Actions.Not:
				s.report(source.Info, s.Actions.Range, nil, "it denies s3:PutObject, by which templates are uploaded")
			case s.covers("ec2:DescribeInstances") && s.Actions.Not:
				s.report(source.Info, s.Actions.Range, nil, "it denies reading too, such as ec2:DescribeInstances")
			}
		},
	}
	calledViaFirstLast = &Rule{
		ID: "called-via-first-last", Code: "H13",
		Title:       "The first and the last service of a chain are confused",
		Severity:    source.Error,
		Rationale:   "Where CloudFormation creates a table that DynamoDB encrypts, AWS KMS sees CloudFormation first and DynamoDB last. A statement about keys that asks for CloudFormation as the last service never matches that call.",
		Remediation: "Ask KMS statements for the service that calls KMS by aws:CalledViaLast (or kms:ViaService), and for the one the caller began with by aws:CalledViaFirst.",
		Page:        "AWS global condition context keys",
		Kind:        policy.Identity,
		Before:      `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["kms:Decrypt","kms:GenerateDataKey"],"Resource":"*","Condition":{"StringEquals":{"aws:CalledViaLast":"cloudformation.amazonaws.com"}}}}`,
		After:       `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["kms:Decrypt","kms:GenerateDataKey"],"Resource":"*","Condition":{"StringEquals":{"aws:CalledViaFirst":"cloudformation.amazonaws.com","aws:CalledViaLast":"dynamodb.amazonaws.com"}}}}`,
		statement: func(s *statement) {
			if !s.allows() || !s.covers("kms:Decrypt") && !s.covers("kms:GenerateDataKey") || s.allActions() {
				return
			}
			c := s.first(positive, "aws:calledvialast")
			if c != nil && slices.Equal(literals(c), []string{cloudFormation}) {
				s.report(source.Warning, c.KeyRange, s.swapped(c, "aws:CalledViaFirst"), "the service that uses a key for CloudFormation, such as DynamoDB, is the last one, not CloudFormation")
			}
			// A call that comes through two services misses who asks for the second as the first.
			for _, c := range s.on("aws:calledviafirst") {
				if swapped := s.swapped(c, "aws:CalledViaLast"); s.doc.proves(swapped) {
					s.report(source.Warning, c.KeyRange, swapped, "the service it names is the last of the chain, not the first")
				}
			}
		},
	}
	openGate = &Rule{
		ID: "gate-open-to-everyone", Code: "H14",
		Title:       "A gate asks how a call came and not who made it",
		Severity:    source.Error,
		Rationale:   "A resource-based policy that lets everyone in who comes through a service lets in every account of AWS: anybody can query Athena or create a stack in an account of their own.",
		Remediation: "Name the principals, or add aws:PrincipalOrgID or aws:PrincipalAccount to the condition.",
		Page:        "AWS global condition context keys",
		Kind:        policy.Resource,
		Before:      `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*","Condition":{"ForAnyValue:StringEquals":{"aws:CalledVia":"athena.amazonaws.com"}}}}`,
		After:       `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*","Condition":{"ForAnyValue:StringEquals":{"aws:CalledVia":"athena.amazonaws.com"},"StringEquals":{"aws:PrincipalOrgID":"o-exampleorgid"}}}}`,
		explains:    []*Rule{publicAccess},
		statement: func(s *statement) {
			if !s.allows() || !s.everyone() || s.doc.Kind != policy.Resource || len(s.Conditions) == 0 {
				return
			}
			how := s.on(serviceCallKeys...)
			if len(how) == 0 || len(how)+len(s.on("aws:securetransport")) < len(s.Conditions) {
				return
			}
			s.report(source.Warning, s.Range, func(r *chain.Replay, hop *chain.HopResult) bool {
				return r.Principal.StandIn == chain.StandInOutside && s.decided(hop) && allowed(r)
			}, "every caller of every account meets it through a service")
		},
	}
	broadServiceExemption = &Rule{
		ID: "any-service-exempt", Code: "H18",
		Title:       "A Deny of data access exempts every service",
		Severity:    source.Info,
		Rationale:   "aws:ViaAWSService false lets through whatever a service does with the caller's session, and the caller chooses the service. It is the exemption AWS recommends; over sensitive data a list is tighter.",
		Remediation: "Where the services that must read the data are few and stay the same, exempt them by aws:CalledVia.",
		Page:        "AWS global condition context keys",
		Kind:        policy.Resource,
		Before:      `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*","Condition":{"NotIpAddressIfExists":{"aws:SourceIp":"192.0.2.0/24"},"BoolIfExists":{"aws:ViaAWSService":"false","aws:PrincipalIsAWSService":"false"}}}}`,
		After:       `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*","Condition":{"NotIpAddressIfExists":{"aws:SourceIp":"192.0.2.0/24"},"ForAllValues:StringNotEquals":{"aws:CalledVia":"athena.amazonaws.com"},"BoolIfExists":{"aws:PrincipalIsAWSService":"false"}}}}`,
		statement: func(s *statement) {
			c := s.first(func(c *condition.Condition) bool { return c.Operator.Base == condition.Bool && holds(c, "false") }, "aws:viaawsservice")
			data := s.covers("s3:GetObject") || s.covers("dynamodb:GetItem") || s.covers("secretsmanager:GetSecretValue")
			if s.denies() && c != nil && data && s.doc.Kind == policy.Resource && len(s.on(calledViaKeys...)) == 0 {
				s.report(source.Info, c.KeyRange, nil, "calls that any service makes with the caller's session pass it")
			}
		},
	}
	mcpDeny = &Rule{
		ID: "mcp-key-absent", Code: "H44",
		Title:       "A Deny asks for a key that only AWS's MCP servers send",
		Severity:    source.Warning,
		Rationale:   "aws:ViaAWSMCPService and aws:IsMcpServiceAction are sent with calls of MCP servers of AWS. Other calls do not carry them, so Bool \"false\" does not meet them.",
		Remediation: "Use BoolIfExists, or deny where the key is \"true\".",
		Page:        "AWS global condition context keys",
		Kind:        policy.SCP,
		Before:      `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"Bool":{"aws:ViaAWSMCPService":"false"}}}}`,
		After:       `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"Bool":{"aws:ViaAWSMCPService":"true"}}}}`,
		statement: func(s *statement) {
			if c := s.first(is(condition.Bool, false, "false"), "aws:viaawsmcpservice", "aws:ismcpserviceaction"); s.denies() && c != nil {
				s.report(source.Warning, c.KeyRange, nil, "it never meets a call that did not come through an MCP server")
			}
		},
	}
)

// swapped is the proof that a condition fails for a call which the statement grants
// otherwise, and that another key has the value it asks for.
func (s *statement) swapped(c *condition.Condition, other string) proof {
	return func(r *chain.Replay, hop *chain.HopResult) bool {
		value := hop.Request.Context.Get(other).Values
		return r.Verdict == engine.ImplicitDeny && hop == brokenHop(r) && positive(c) && len(value) == 1 && holds(c, value[0].String()) &&
			s.byOwner(r) && s.matches(hop) && s.otherwise(hop, c) && c.Eval(hop.Request.Context) == kleene.False
	}
}

const cloudFormation = "cloudformation.amazonaws.com"

// ifThroughCloudFormation looks for a positive operator with IfExists over the service
// that a call came through: it is true of every direct call.
func (s *statement) ifThroughCloudFormation() {
	c := s.first(func(c *condition.Condition) bool {
		return positive(c) && c.Operator.IfExists && holds(c, cloudFormation)
	}, calledViaKeys...)
	switch {
	case c == nil:
	case s.allows():
		s.report(source.Warning, c.KeyRange, func(r *chain.Replay, hop *chain.HopResult) bool {
			return r.Principal.StandIn == "" && s.decided(hop) && absent(hop, c.Key) && allowed(r)
		}, "direct calls, which do not carry %s, meet it too", c.Key)
	default:
		s.report(source.Warning, c.KeyRange, s.denied(chain.Caller), "it denies direct calls, which do not carry %s, and those through CloudFormation alike", c.Key)
	}
}

// idleExemption looks for an exemption of services that call in their own name in a
// Deny that never meets them, and that has none for services which call for others.
func (s *statement) idleExemption() {
	if s.doc.Kind != policy.Identity && s.doc.Kind != policy.Boundary && s.doc.Kind != policy.SCP || len(s.on(networkKeys...)) == 0 || s.sparesServiceCalls(networkKeys...) {
		return
	}
	if c := s.first(func(c *condition.Condition) bool { return c.Operator.Base == condition.Bool && holds(c, "false") }, "aws:principalisawsservice"); c != nil {
		s.report(source.Warning, c.KeyRange, nil, "it exempts nobody: services that call in their own name never meet this policy, and those that call with somebody's session are none by %s", c.Key)
	}
}

// ownNameOnly are services that call in their own name or with a role, and never
// with a caller's session.
var ownNameOnly = []string{
	"cloudtrail.amazonaws.com", "config.amazonaws.com", "logging.s3.amazonaws.com", "delivery.logs.amazonaws.com", "events.amazonaws.com",
}

// servedBy returns the service that alone assumes the role which the statement is
// about, empty for other principals: the one its policy belongs to, or the one that it
// names.
func (s *statement) servedBy() string {
	d := s.doc
	switch {
	case d.Kind == policy.Identity && len(d.principals) == 1:
		return assumedBy(d.principals[0].Trust)
	case d.Kind == policy.Resource && d.World != nil && s.Principals != nil && !s.Principals.Not && len(s.Principals.Entries) == 1:
		if p := d.byARN[s.Principals.Entries[0].Text]; p != nil {
			return assumedBy(p.Trust)
		}
	}
	return ""
}

// assumedBy returns the service that a trust policy lets in alone, empty if there is
// no such service.
func assumedBy(trust *policy.Document) string {
	if trust == nil {
		return ""
	}
	service := ""
	for i := range trust.Statements {
		st := &trust.Statements[i]
		if st.Effect != policy.Allow {
			continue
		}
		if st.Principals == nil || st.Principals.Not {
			return ""
		}
		for j := range st.Principals.Entries {
			p := &st.Principals.Entries[j]
			name, known := p.Text.Literal()
			if !known || p.Type != policy.Service {
				return ""
			}
			service = name
		}
	}
	return service
}

var regional = regexp.MustCompile(`^([a-z0-9-]+)\.[a-z]{2}(-[a-z]+)+-[0-9]\.amazonaws\.com$`)

func (s *statement) calledViaValue(c *condition.Condition, v *condition.Value) {
	value, known := v.Text.Literal()
	like := c.Operator.Base == condition.StringLike || c.Operator.Base == condition.StringNotLike
	principal, exists := awsref.LookupServicePrincipal(value)
	switch {
	case !known || strings.Contains(value, "${"):
	case value == "":
		s.report(source.Error, v.Range, nil, "the value of %s is empty", c.Key)
	case like && strings.Trim(value, "*") == "":
		s.report(source.Warning, v.Range, nil, "%q is every service", value)
	case like && strings.ContainsAny(value, "*?"):
	case regional.MatchString(value):
		s.report(source.Error, v.Range, nil, "%s never has a Region: write %s.amazonaws.com", c.Key, regional.FindStringSubmatch(value)[1])
	case !strings.HasSuffix(value, ".amazonaws.com"):
		s.report(source.Error, v.Range, nil, "%q is no service principal", value)
	case slices.Contains(ownNameOnly, value) || exists && principal.CalledVia:
	case value == "s3.amazonaws.com" && s.onlyOf("kms"): // the rule about keys says more
	case exists && principal.Confirmed:
		s.report(source.Info, v.Range, nil, "%s is not known to call with its callers' sessions", value)
	default:
		prefix, _, _ := strings.Cut(value, ".")
		severity := source.Warning
		if _, exists := awsref.LookupService(prefix); exists {
			severity = source.Info // a principal that the reference lacks
		}
		s.report(severity, v.Range, nil, "%s is no service principal that is known", value)
	}
}

// absent reports whether a hop's request does not carry a key.
func absent(hop *chain.HopResult, key string) bool {
	return hop.Request.Context.Get(key).Present == kleene.False
}
