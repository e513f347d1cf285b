package request_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/request"
	"github.com/tfguard/tfguard/engine/symbol"
	"github.com/tfguard/tfguard/fixtures"
)

// cell renders an entry as the tables do.
func cell(e request.Entry) string {
	if e.Present == kleene.False {
		return "-"
	}
	var words []string
	for _, v := range e.Values {
		s := v.String()
		for sym := range v.Symbols() {
			s = strings.ReplaceAll(s, "${"+sym.Name+"}", "~")
		}
		words = append(words, s)
	}
	s := strings.Join(words, ",")
	if request.Multivalued(e.Key) {
		s = "[" + s + "]"
	}
	if e.Present == kleene.Unknown {
		s = "?" + s
	}
	return s
}

// compare checks every key of a column, and that the context has no key beside
// those of the tables.
func compare(t *testing.T, want map[string]string, ctx request.Context, also func(key string) bool) {
	t.Helper()
	for key, w := range want {
		// An organization's path begins with its id, and a user id with what it is the
		// id of; of that the tables say nothing.
		got := strings.NewReplacer("o-1/~", "~", "o-2/~", "~").Replace(cell(ctx.Get(key)))
		if got != w {
			t.Errorf("%s: got %s, want %s", key, got, w)
		}
	}
	for e := range ctx.All() {
		family := strings.HasSuffix(e.Key, "/") // its members are in the table
		if _, ok := want[e.Key]; !ok && !family && !also(e.Key) {
			t.Errorf("%s = %s is in no table", e.Key, cell(e))
		}
	}
}

func lit(s string) symbol.Text { return symbol.Literal(s) }

var (
	ours   = request.Organization{Member: kleene.True, ID: lit("o-1")}
	theirs = request.Organization{Member: kleene.True, ID: lit("o-2")}
)

func caller(kind request.PrincipalKind, arn string) *request.Caller {
	c := &request.Caller{Organization: ours, Tags: map[string]symbol.Text{"team": lit("red")}}
	c.Principal = request.Principal{Kind: kind, ARN: lit(arn), Account: lit("111122223333")}
	return c
}

func role() *request.Caller {
	c := caller(request.RoleSession, "arn:aws:iam::111122223333:role/team/R")
	c.Principal.Session = lit("arn:aws:sts::111122223333:assumed-role/R/s")
	return c
}

func cloudTrail() *request.Caller {
	return &request.Caller{
		Principal: request.Principal{Kind: request.ServicePrincipal, Service: "cloudtrail.amazonaws.com"},
		Source:    lit("arn:aws:cloudtrail:eu-west-1:111122223333:trail/T"), SourceAccount: lit("111122223333"), Organization: ours,
	}
}

func call(n request.Network, via ...string) *request.Hop {
	return &request.Hop{Network: n, Via: via, Service: "transfer", Region: lit("eu-west-1"), Time: lit("2026-11-21T12:00:00Z"),
		ResourceAccount: lit("444455556666"), ResourceOrganization: theirs, ResourceTags: map[string]symbol.Text{}}
}

// The availability table by scenario (D.2).
func TestDeriveNetwork(t *testing.T) {
	office, outside := request.Network{SourceIP: lit("203.0.113.10")}, request.Network{SourceIP: lit("198.51.100.1")}
	vpc := request.Network{Endpoint: lit("vpce-A"), VPC: lit("vpc-A"), VPCSourceIP: lit("10.0.0.9"), EndpointAccount: lit("111122223333"), EndpointOrganization: ours}
	const athena, cloudformation, dynamodb, s3 = "athena.amazonaws.com", "cloudformation.amazonaws.com", "dynamodb.amazonaws.com", "s3.amazonaws.com"
	serviceRole := func(n request.Network, switches request.Switches, via ...string) *request.Hop {
		h := call(n, via...)
		h.ServiceRole, h.Switches = true, switches
		return h
	}
	seed := request.Switches{PlainServiceRole: true}
	trusting, unsure := cloudTrail(), cloudTrail()
	trusting.Source, trusting.SourceUnsure, trusting.Organization = symbol.Symbol{Name: "the source"}.Text(), true, request.Organization{}
	unsure.SourceUnsure = true
	idp := &request.Caller{Principal: request.Principal{Kind: request.FederatedIdentity}}
	columns := map[string]struct {
		caller *request.Caller
		hop    *request.Hop
	}{
		"1": {role(), call(office)}, "1x": {role(), call(outside)}, "1v": {role(), call(vpc)},
		"2a.1": {role(), call(office)}, "2a.2": {role(), call(office, athena)},
		"2b.1": {role(), call(vpc)}, "2b.2": {role(), call(vpc, athena)},
		"CF.1": {role(), call(office)}, "CF.2": {role(), call(office, cloudformation)}, "CF.3": {role(), call(office, cloudformation, dynamodb)},
		"CSR":            {role(), serviceRole(office, request.Switches{}, cloudformation)},
		"CSR.3":          {role(), serviceRole(office, request.Switches{}, cloudformation, dynamodb)},
		"CSR-seed2020":   {role(), serviceRole(request.Network{}, seed, cloudformation)},
		"CSR.3-seed2020": {role(), serviceRole(request.Network{}, seed, cloudformation, dynamodb)},
		"3a":             {role(), serviceRole(vpc, request.Switches{})}, "3b": {role(), serviceRole(request.Network{}, request.Switches{})},
		"2a.3": {role(), call(office, athena, s3)}, "2b.3": {role(), call(vpc, athena, s3)},
		"3b.4":    {role(), serviceRole(request.Network{}, request.Switches{}, s3)},
		"4-trust": {trusting, call(request.Network{})}, "4-elb": {unsure, call(request.Network{})},
		"federated": {idp, call(office)},
		"4":         {cloudTrail(), call(request.Network{})}, "AN": {&request.Caller{}, call(outside)},
	}
	tables, principal := fixtures.Table(t, "context/network.tsv"), fixtures.Table(t, "context/principal.tsv")["user"]
	if len(tables) != len(columns) {
		t.Errorf("the table has %d columns, want %d", len(tables), len(columns))
	}
	for name, c := range columns {
		t.Run(name, func(t *testing.T) {
			compare(t, tables[name], request.Derive(c.caller, c.hop), func(key string) bool {
				_, ok := principal[key]
				return ok
			})
		})
	}
}

// The availability table by caller (D.3).
func TestDerivePrincipal(t *testing.T) {
	office := request.Network{SourceIP: lit("203.0.113.10")}
	direct, fas := call(office), call(office, "athena.amazonaws.com")
	user := caller(request.IAMUser, "arn:aws:iam::111122223333:user/path/bob")
	federated := caller(request.FederatedUser, "arn:aws:iam::111122223333:user/path/bob")
	federated.Principal.Session = lit("arn:aws:sts::111122223333:federated-user/N")
	linked := caller(request.ServiceLinkedRole, "arn:aws:iam::111122223333:role/aws-service-role/x/S")
	linked.Principal.Session = lit("arn:aws:sts::111122223333:assumed-role/S/s")
	as := func(c *request.Caller, session request.Session) *request.Caller {
		out := *c
		out.Session = session
		return &out
	}
	idp := func(session request.Session) *request.Caller {
		out := as(role(), session)
		out.Tags = nil // the session's may be among them
		return out
	}
	center := idp(request.IdentityCenter)
	center.Principal.ARN = lit("arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_P_1")
	root := caller(request.Root, "arn:aws:iam::111122223333:root")
	switched := func(s request.Switches) *request.Hop {
		h := call(office)
		h.Switches = s
		return h
	}
	columns := map[string]struct {
		caller *request.Caller
		hop    *request.Hop
	}{
		"user": {user, direct}, "user-fas": {user, fas},
		"console": {as(user, request.Console), direct}, "console-mfa": {as(user, request.ConsoleMFA), direct},
		"mfa-session": {as(user, request.TokenMFA), direct}, "mfa-session-fas": {as(user, request.TokenMFA), fas},
		"role": {role(), direct}, "role-fas": {role(), fas}, "service-role": {role(), call(request.Network{})},
		"identity-center": {center, direct}, "saml": {idp(request.SAML), direct}, "oidc": {idp(request.OIDC), direct}, "oidc-fas": {idp(request.OIDC), fas},
		"fed": {federated, direct}, "root": {root, direct}, "root-console": {as(root, request.Console), direct},
		"root-console-mfa": {as(root, request.ConsoleMFA), direct}, "assumed-root": {as(root, request.AssumedRoot), direct}, "slr": {linked, direct},
		"service": {cloudTrail(), call(request.Network{})}, "anonymous": {&request.Caller{}, direct},
		"federated":       {&request.Caller{Principal: request.Principal{Kind: request.FederatedIdentity}}, direct},
		"role-mfa-absent": {role(), switched(request.Switches{RoleWithoutMFA: true})},
		"oidc-mfa-false":  {idp(request.OIDC), switched(request.Switches{FederatedMFA: true})},
	}
	tables, network := fixtures.Table(t, "context/principal.tsv"), fixtures.Table(t, "context/network.tsv")["1"]
	if len(tables) != len(columns) {
		t.Errorf("the table has %d columns, want %d", len(tables), len(columns))
	}
	for name, c := range columns {
		t.Run(name, func(t *testing.T) {
			compare(t, tables[name], request.Derive(c.caller, c.hop), func(key string) bool {
				_, ok := network[key]
				return ok
			})
		})
	}
}

// The keys of workloads.
func TestDeriveWorkload(t *testing.T) {
	office := request.Network{SourceIP: lit("203.0.113.10")}
	vpc := request.Network{Endpoint: lit("vpce-A"), VPC: lit("vpc-A"), VPCSourceIP: lit("10.0.0.9")}
	tables := fixtures.Table(t, "context/workload.tsv")
	for name, want := range tables {
		word, how, _ := strings.Cut(name, "-")
		hop := call(office)
		switch how {
		case "fas":
			hop.Via = []string{"s3.amazonaws.com"}
		case "vpc":
			hop.Network = vpc
		case "job":
			word = name
		}
		c := role()
		if word != "none" {
			c.Workload = request.Workload(word)
		}
		ctx := request.Derive(c, hop)
		for key, w := range want {
			if got := cell(ctx.Get(key)); got != w {
				t.Errorf("%s: %s: got %s, want %s", name, key, got, w)
			}
		}
	}
	for service, want := range map[string]request.Workload{
		"ec2.amazonaws.com": request.EC2Instance, "lambda.amazonaws.com": request.LambdaFunction, "glue.amazonaws.com": request.GlueService,
		"codebuild.amazonaws.com": request.CodeBuild, "s3.amazonaws.com": "", "none.amazonaws.com": "",
	} {
		if got := request.WorkloadOf(service); got != want {
			t.Errorf("%s: got %q, want %q", service, got, want)
		}
	}
}

// D18 to D21: which services carry the endpoint keys of 2025, and no other does.
func TestDeriveEndpointServices(t *testing.T) {
	vpc := request.Network{Endpoint: lit("vpce-A"), VPC: lit("vpc-A"), VPCSourceIP: lit("10.0.0.9"), EndpointAccount: lit("111122223333"), EndpointOrganization: ours}
	for key, services := range fixtures.Table(t, "context/endpoints.tsv") {
		for _, none := range []string{"sts", "glue", "logs", "sns", "secretsmanager", "ssm", "ec2", "events", "states"} {
			services[none] = "no"
		}
		for service, want := range services {
			h := call(vpc)
			h.Service = service
			if got := request.Derive(role(), h).Get(key).Present == kleene.True; got != (want == "yes") {
				t.Errorf("%s to %s: got %v, want %s", key, service, got, want)
			}
		}
	}
	for _, action := range []string{"iam:PassRole", "dax:GetItem", "es:ESHttpGet", "elasticfilesystem:ClientMount", "rds-db:connect"} {
		h := call(vpc)
		h.Service, h.Action, _ = strings.Cut(action, ":")
		if e := request.Derive(role(), h).Get("aws:SourceVpcArn"); e.Present != kleene.False {
			t.Errorf("%s: got %s", action, cell(e))
		}
	}
}

// D12: actions that do not support the keys about the owner of the resource.
func TestDeriveResourceAccount(t *testing.T) {
	for line := range strings.Lines(string(fixtures.Read(t, "context/resource_account.tsv"))) {
		h := call(request.Network{SourceIP: lit("203.0.113.10")})
		h.Service, h.Action, _ = strings.Cut(strings.TrimSpace(line), ":")
		if strings.HasPrefix(line, "#") || h.Action == "" {
			continue
		}
		for _, key := range []string{"aws:ResourceAccount", "aws:ResourceOrgID", "aws:ResourceOrgPaths"} {
			if e := request.Derive(role(), h).Get(key); e.Present != kleene.False {
				t.Errorf("%s: %s: got %s", line, key, cell(e))
			}
		}
	}
}

// Every switch changes some context, in the keys that it names and no others.
func TestModes(t *testing.T) {
	office := request.Network{SourceIP: lit("203.0.113.10")}
	fas, stack := call(office, "s3.amazonaws.com"), call(office, "cloudformation.amazonaws.com")
	stack.ServiceRole = true
	saml := role()
	saml.Session = request.SAML
	for _, m := range request.Modes() {
		changed, touched := map[string]bool{}, false
		for _, c := range []*request.Caller{role(), saml} {
			for _, h := range []*request.Hop{fas, stack, call(office)} {
				turned := *h
				var setting string
				if turned.Switches, setting = m.Turn(h.Switches); setting != m.Other {
					t.Errorf("%s: got %s, want %s", m.Switch, setting, m.Other)
				}
				if back, setting := m.Turn(turned.Switches); back != h.Switches || setting != m.Default {
					t.Errorf("%s: turned twice it is %s", m.Switch, setting)
				}
				before := len(changed)
				a, b := request.Derive(c, h), request.Derive(c, &turned)
				for _, ctx := range []request.Context{a, b} {
					for e := range ctx.All() {
						if cell(a.Get(e.Key)) != cell(b.Get(e.Key)) {
							changed[strings.ToLower(e.Key)] = true
						}
					}
				}
				touches := m.Touches(&c.Principal, &a)
				touched = touched || touches
				if len(changed) > before && !touches {
					t.Errorf("%s touches nothing and changes %v", m.Switch, changed)
				}
			}
		}
		if !touched || m.Title == "" {
			t.Errorf("%s changes nothing or has no title", m.Switch)
		}
		for key := range changed {
			if !slices.Contains(m.Keys, key) {
				t.Errorf("%s changes %s", m.Switch, key)
			}
		}
	}
}

// The keys with their types, as AWS lists them.
func TestKeys(t *testing.T) {
	columns := fixtures.Table(t, "context/keys.tsv")
	for name, typ := range columns["type"] {
		k, ok := request.Find(strings.ReplaceAll(name, "${TagKey}", "x"))
		multi := columns["multivalued"][name] == "yes"
		if typ == "ArrayOfString" {
			typ = "String"
		}
		if !ok || string(k.Type) != typ || k.Multivalued != multi || k.Sent == "" {
			t.Errorf("%s: got %+v, want %s, multivalued %v", name, k, typ, multi)
		}
	}
}

// What the tables leave to notes: memberships, unknown values, services.
func TestDeriveNotes(t *testing.T) {
	office := request.Network{SourceIP: lit("203.0.113.10")}
	vpc := request.Network{Endpoint: lit("vpce-A"), VPC: lit("vpc-A"), VPCSourceIP: lit("10.0.0.9"), EndpointAccount: lit("111122223333"), EndpointOrganization: ours}
	hop := func(service string, n request.Network, via ...string) *request.Hop {
		h := call(n, via...)
		h.Service = service
		return h
	}
	listed := func(via ...string) *request.Hop {
		h := hop("kms", office, via...)
		h.Switches.ListedCalledVia = true
		return h
	}
	serviceIP := hop("s3", office, "athena.amazonaws.com")
	serviceIP.Switches.ServiceSourceIP = true
	loner, unsure := role(), role()
	loner.Organization, unsure.Organization = request.Organization{}, request.Organization{Member: kleene.Unknown, ID: lit("o-1")}
	untold := role()
	untold.Tags = nil
	user := caller(request.IAMUser, "arn:aws:iam::111122223333:user/bob")
	idp := &request.Caller{Principal: request.Principal{Kind: request.FederatedIdentity, ARN: lit("arn:aws:iam::111122223333:saml-provider/P")}}
	root := caller(request.Root, "arn:aws:iam::111122223333:root")
	root.Tags = nil
	logs := cloudTrail()
	logs.Principal.Service = "logs.eu-west-1.amazonaws.com"
	lonelyVPC := vpc
	lonelyVPC.EndpointOrganization = request.Organization{}
	noService := &request.Caller{Principal: request.Principal{Kind: request.ServicePrincipal, Service: "ec2.amazonaws.com"}}
	for _, tc := range []struct {
		name   string
		caller *request.Caller
		hop    *request.Hop
		key    string
		want   string
	}{
		{"no organization", loner, hop("s3", office), "aws:PrincipalOrgID", "-"},
		{"no organization", loner, hop("s3", office), "aws:PrincipalOrgPaths", "-"},
		{"unknown membership", unsure, hop("s3", office), "aws:PrincipalOrgID", "?o-1"},
		{"unknown tags of the resource", user, &request.Hop{Service: "sqs", Network: office}, "aws:ResourceTag/team", "?~"},
		{"a tag of the resource", user, &request.Hop{Service: "sqs", Network: office, ResourceTags: map[string]symbol.Text{"Team": lit("red")}}, "aws:ResourceTag/team", "red"},
		{"a global service", user, hop("iam", office), "aws:RequestedRegion", "us-east-1"},
		{"a global service of China", caller(request.IAMUser, "arn:aws-cn:iam::1:user/u"), hop("iam", office), "aws:RequestedRegion", "cn-northwest-1"},
		{"a global service of GovCloud", caller(request.IAMUser, "arn:aws-us-gov:iam::1:user/u"), hop("organizations", office), "aws:RequestedRegion", "us-gov-west-1"},
		{"D3 listed", role(), listed("athena.amazonaws.com", "s3.amazonaws.com"), "aws:CalledViaLast", "athena.amazonaws.com"},
		{"D3 listed", role(), listed("s3.amazonaws.com"), "aws:CalledVia", "-"},
		{"D3 listed", role(), listed("s3.amazonaws.com"), "aws:ViaAWSService", "true"},
		{"D5 the service's address", role(), serviceIP, "aws:SourceIp", "240.0.0.1"},
		{"unknown tags", untold, hop("s3", office), "aws:PrincipalTag/team", "?~"},
		{"root has no tags", root, hop("s3", office), "aws:PrincipalTag/team", "-"},
		{"C22 a federated identity has no ARN", idp, hop("sts", office), "aws:PrincipalArn", "-"},
		{"C22 a federated identity has no organization", idp, hop("sts", office), "aws:PrincipalOrgID", "-"},
		{"a federated identity", idp, hop("sts", office), "aws:PrincipalIsAWSService", "?false"},
		{"a regional service", logs, hop("s3", request.Network{}), "aws:PrincipalServiceNamesList", "[logs.eu-west-1.amazonaws.com]"},
		{"a service that names no source", noService, hop("sts", request.Network{}), "aws:SourceArn", "-"},
		// D.5: which services know the keys of 2025.
		{"D18", role(), hop("s3", vpc), "aws:SourceVpcArn", "arn:aws:ec2:eu-west-1:111122223333:vpc/vpc-A"},
		{"D18", role(), hop("dynamodb", vpc), "aws:SourceVpcArn", "-"},
		{"D19", role(), hop("dynamodb", vpc), "aws:VpceAccount", "111122223333"},
		{"D19", role(), hop("sqs", vpc), "aws:VpceOrgPaths", "-"},
		{"D20", role(), hop("sqs", vpc), "aws:VpceOrgID", "o-1"},
		{"D21", role(), hop("secretsmanager", vpc), "aws:VpceOrgID", "-"},
		{"D.2 note 4", role(), hop("s3", lonelyVPC), "aws:VpceOrgID", "-"},
		{"D.2 note 4", role(), hop("s3", lonelyVPC), "aws:VpceOrgPaths", "-"},
		{"D16 direct", role(), hop("kms", office), "kms:ViaService", "-"},
		{"D16 direct", role(), hop("kms", office), "kms:CallerAccount", "111122223333"},
		{"D16 through S3", role(), hop("kms", office, "athena.amazonaws.com", "s3.amazonaws.com"), "kms:ViaService", "s3.eu-west-1.amazonaws.com"},
		{"D16 a service", cloudTrail(), hop("kms", request.Network{}), "kms:ViaService", "?~"},
		{"D16 a service", cloudTrail(), hop("kms", request.Network{}), "kms:CallerAccount", "?~"},
		{"D22", user, hop("sns", office), "aws:SourceOwner", "111122223333"},
		{"D22 elsewhere", user, hop("sqs", office), "aws:SourceOwner", "-"},
		{"s3", user, hop("s3", office), "s3:ResourceAccount", "444455556666"},
		{"s3", user, hop("s3", office), "s3:authType", "REST-HEADER"},
		{"s3 without a signature", &request.Caller{}, hop("s3", office), "s3:authType", "-"},
		{"s3 without a signature", &request.Caller{}, hop("s3", office), "s3:signatureversion", "-"},
		{"a network inside AWS", role(), hop("s3", request.Network{}), "aws:SourceIp", "?240.0.0.1"},
		{"a network inside AWS", role(), hop("s3", request.Network{}), "aws:SourceVpce", "-"},
		{"nothing known", user, &request.Hop{Service: "s3", Network: office}, "aws:RequestedRegion", "~"},
		{"nothing known", user, &request.Hop{Service: "s3", Network: office}, "aws:CurrentTime", "~"},
		{"nothing known", user, &request.Hop{Service: "s3", Network: office}, "aws:EpochTime", "~"},
		{"nothing known", user, &request.Hop{Service: "s3", Network: office}, "aws:ResourceAccount", "-"},
		{"nothing known", user, &request.Hop{Service: "s3", Network: office}, "s3:ResourceAccount", "-"},
	} {
		ctx := request.Derive(tc.caller, tc.hop)
		if got := cell(ctx.Get(tc.key)); got != tc.want {
			t.Errorf("%s: %s: got %s, want %s", tc.name, tc.key, got, tc.want)
		}
	}
}

// Every key that Derive sets is spelled as AWS spells it, and has one value unless
// it is multivalued.
func TestDeriveKnownKeys(t *testing.T) {
	vpc := request.Network{Endpoint: lit("vpce-A"), VPC: lit("vpc-A"), VPCSourceIP: lit("10.0.0.9"), EndpointAccount: lit("1"), EndpointOrganization: ours}
	for _, c := range []*request.Caller{role(), cloudTrail(), {}, caller(request.IAMUser, "arn:aws:iam::1:user/u")} {
		for e := range request.Derive(c, call(vpc)).All() {
			k, ok := request.Find(e.Key)
			if !ok {
				t.Errorf("%s is no known key", e.Key)
				continue
			}
			if name := strings.TrimSuffix(k.Name, "/"); !strings.HasPrefix(e.Key, name) {
				t.Errorf("got %s, AWS writes %s", e.Key, k.Name)
			}
			if !k.Multivalued && len(e.Values) != 1 {
				t.Errorf("%s has %d values", e.Key, len(e.Values))
			}
		}
	}
}
