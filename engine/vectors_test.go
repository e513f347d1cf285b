package engine_test

import (
	"strings"
	"testing"

	"github.com/tfguard/tfguard/engine"
	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/request"
	"github.com/tfguard/tfguard/engine/symbol"
)

const (
	athena         = "athena.amazonaws.com"
	cloudformation = "cloudformation.amazonaws.com"
	dynamodb       = "dynamodb.amazonaws.com"
	replRole       = "arn:aws:iam::111122223333:role/Replication"
)

var inOrg = request.Organization{Member: kleene.True, ID: lit("o-1")}

// column derives the request of one column of the availability table: who calls
// from where, through whom. "CF.2@ipX" enters from an unexpected address, "1v@other"
// through another VPC, "3b@repl" is the replication role.
func column(t testing.TB, id string) (request.Principal, request.Context) {
	t.Helper()
	id, variant, _ := strings.Cut(id, "@")
	c := request.Caller{Principal: caller(role), Tags: map[string]symbol.Text{}, Organization: inOrg}
	h := request.Hop{Service: "s3", Region: lit("eu-west-1"), Time: lit("2026-11-21T12:00:00Z"), ResourceAccount: lit(account), ResourceOrganization: inOrg}
	ip := request.Network{SourceIP: lit("203.0.113.10")}
	if variant == "ipX" {
		ip.SourceIP = lit("198.51.100.1")
	}
	vpc := request.Network{Endpoint: lit("vpce-A"), VPC: lit("vpc-A"), VPCSourceIP: lit("10.0.0.9"), EndpointAccount: lit(account), EndpointOrganization: inOrg}
	switch variant {
	case "other":
		vpc.VPC = lit("vpc-B")
	case "repl":
		c.Principal = caller(replRole)
	case "user":
		c.Principal = caller(user)
	case "foreign":
		c.Principal, c.Organization.ID = caller(foreign), lit("o-2")
	}
	switch id {
	case "1", "2a.1", "CF.1":
		h.Network = ip
	case "1x":
		h.Network = request.Network{SourceIP: lit("198.51.100.1")}
	case "1v", "2b.1", "3a":
		h.Network = vpc
	case "2a.2":
		h.Network, h.Via = ip, []string{athena}
	case "2b.2":
		h.Network, h.Via = vpc, []string{athena}
	case "CF.2":
		h.Network, h.Via = ip, []string{cloudformation}
	case "CF.3":
		h.Network, h.Via, h.Service = ip, []string{cloudformation, dynamodb}, "kms"
	case "F6": // DynamoDB called directly, then KMS
		h.Network, h.Via, h.Service = ip, []string{dynamodb}, "kms"
	case "CSR":
		h.Network, h.Via, h.ServiceRole = ip, []string{cloudformation}, true
	case "3b": // a service role outside of any VPC
	case "4":
		c = request.Caller{Principal: caller(trail), Source: lit("arn:aws:cloudtrail:eu-west-1:111122223333:trail/T"), SourceAccount: lit(account), Organization: inOrg}
	case "AN":
		c = request.Caller{}
		h.Network = request.Network{SourceIP: lit("198.51.100.1")}
	default:
		t.Fatalf("no column %q", id)
	}
	return c.Principal, request.Derive(&c, &h)
}

// applies reports whether a Deny of a bucket policy applies in a column.
func applies(t *testing.T, condition, col string) engine.Verdict {
	t.Helper()
	p, ctx := column(t, col)
	tc := test{
		identity:  []string{allowAll},
		resources: []string{grantTo("Allow", everyone) + `,{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*","Condition":` + condition + `}`},
	}
	req := &engine.Request{Principal: p, Action: "s3:GetObject", Resource: lit(object), ResourceAccount: lit(account), Context: ctx}
	return engine.Evaluate(tc.policies(t), req).Verdict
}

// Conformance vectors over whole columns: whether the Deny applies.
func TestVectorsOfColumns(t *testing.T) {
	const (
		v01     = `"NotIpAddress":{"aws:SourceIp":"203.0.113.0/24"}`
		v02     = v01 + `,"StringNotEquals":{"aws:CalledViaFirst":"athena.amazonaws.com"}`
		v03     = v01 + `,"StringNotEquals":{"aws:CalledViaFirst":"athena.amazonaws.com","aws:SourceVpc":"vpc-A"}`
		v04     = v03 + `,"ArnNotEquals":{"aws:PrincipalArn":"` + replRole + `"}`
		v05     = `"StringNotEquals":{"aws:SourceVpc":"vpc-A"},"Bool":{"aws:PrincipalIsAWSService":"false"}`
		v06     = `"StringNotEquals":{"aws:SourceVpc":"vpc-A"},"BoolIfExists":{"aws:PrincipalIsAWSService":"false"}`
		v07     = `"NotIpAddressIfExists":{"aws:SourceIp":"203.0.113.0/24"},"StringNotEqualsIfExists":{"aws:SourceVpc":"vpc-A"},"ArnNotEqualsIfExists":{"aws:PrincipalArn":"` + replRole + `"},"Bool":{"aws:PrincipalIsAWSService":"false","aws:ViaAWSService":"false"}`
		v08     = `"StringNotEquals":{"aws:PrincipalOrgID":"o-1"},"Bool":{"aws:PrincipalIsAWSService":"false"}`
		v12     = `"StringNotEquals":{"aws:CalledViaFirst":"cloudformation.amazonaws.com"}`
		v13     = v01 + `,"Bool":{"aws:ViaAWSService":"false"}`
		deny    = explicit
		spared  = allowed
		notSure = unknown
	)
	for _, tc := range []struct {
		name, condition string
		want            map[string]engine.Verdict
	}{
		{"V01", v01, map[string]engine.Verdict{"1": spared, "1x": deny, "1v": deny, "2a.2": spared, "2b.2": deny, "3b": deny, "4": deny}},
		{"V02", v02, map[string]engine.Verdict{"1x": deny, "2a.2": spared, "2b.2": spared, "3a": deny, "3b": deny, "4": deny}},
		{"V03", v03, map[string]engine.Verdict{"1v": spared, "1v@other": deny, "3a": spared, "3b": deny, "2b.2": spared, "4": deny}},
		{"V04", v04, map[string]engine.Verdict{"3b@repl": spared, "4": deny, "1x": deny}},
		{"V05", v05, map[string]engine.Verdict{"4": spared, "1": deny, "3a": spared, "AN": spared}},
		{"V06", v06, map[string]engine.Verdict{"4": spared, "AN": deny}},
		{"V07", v07, map[string]engine.Verdict{"1": spared, "1v": spared, "2a.2": spared, "2b.2": spared, "3a": spared, "3b@repl": spared, "4": spared, "1x": deny, "1v@other": deny, "3b": deny, "AN": spared}},
		{"V08", v08, map[string]engine.Verdict{"1": spared, "1@foreign": deny, "4": spared, "AN": spared}},
		{"V12", v12, map[string]engine.Verdict{"1": deny, "CF.2": spared, "CSR": spared}},
		{"V13", v13, map[string]engine.Verdict{"1": spared, "1x": deny, "1v": deny, "CF.2@ipX": spared, "CF.2": spared}},
		{"V14 as a Deny", `"StringEquals":{"aws:CalledVia":"athena.amazonaws.com"}`, map[string]engine.Verdict{"2a.2": spared, "1": spared}},
		{"V15", `"ForAnyValue:StringNotEquals":{"aws:CalledVia":"cloudtrail.amazonaws.com"}`, map[string]engine.Verdict{"4": spared, "1": spared, "CF.3": deny}},
		{"V11", `"StringEquals":{"aws:CalledViaFirst":"cloudformation.amazonaws.com","aws:CalledViaLast":"dynamodb.amazonaws.com"}`, map[string]engine.Verdict{"CF.3": deny, "CF.2": spared, "F6": spared}},
		{"V20 of Derive", `"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}`, map[string]engine.Verdict{"1@user": deny, "2a.2@user": deny, "1": deny}},
		{"V21 of Derive", `"Bool":{"aws:MultiFactorAuthPresent":"false"}`, map[string]engine.Verdict{"1@user": spared, "2a.2@user": deny}},
		{"V45", `"StringEquals":{"aws:ViaAWSService":"True"}`, map[string]engine.Verdict{"2a.2": spared}},
		{"V45 Bool", `"Bool":{"aws:ViaAWSService":"True"}`, map[string]engine.Verdict{"2a.2": deny, "1": spared}},
		{"V50 as a Deny", `"IpAddressIfExists":{"aws:SourceIp":"203.0.113.0/24"},"StringEqualsIfExists":{"aws:SourceVpc":"vpc-A"}`, map[string]engine.Verdict{"1": deny, "1v": deny, "1x": spared, "2b.2": notSure}},
		{"B16 negated", `"StringNotEquals":{"aws:CalledVia":"athena.amazonaws.com"}`, map[string]engine.Verdict{"1": deny, "2a.2": notSure}},
		{"D.2 note 1: Null of SourceIp", `"Null":{"aws:SourceIp":"true"}`, map[string]engine.Verdict{"2b.2": notSure, "4": notSure, "3b": notSure, "1v": deny, "1": spared}},
		{"D.2 note 8", v01, map[string]engine.Verdict{"CSR": notSure}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for col, want := range tc.want {
				if got := applies(t, "{"+tc.condition+"}", col); got != want {
					t.Errorf("column %s: got %v, want %v", col, got, want)
				}
			}
		})
	}
}

// V09, V10: AWS Security Blog "How to define least-privileged permissions for
// actions called by AWS services".
func TestVectorsLeastPrivilege(t *testing.T) {
	via := func(action, key, service string) string {
		return `{"Effect":"Allow","Action":"` + action + `","Resource":"*","Condition":{"` + key + `":"` + service + `"}}}`
	}
	first := `{"Effect":"Allow","Action":"cloudformation:CreateStack","Resource":"*"},` +
		via("dynamodb:GetItem", `ForAnyValue:StringEquals":{"aws:CalledVia`, cloudformation) + "," +
		via("kms:Decrypt", `ForAnyValue:StringEquals":{"aws:CalledVia`, dynamodb)
	second := via("dynamodb:GetItem", `StringEquals":{"aws:CalledViaFirst`, cloudformation) + "," + via("kms:Decrypt", `StringEquals":{"aws:CalledViaFirst`, cloudformation)
	table := "arn:aws:dynamodb:eu-west-1:111122223333:table/x"
	for _, tc := range []struct {
		name, policy, col, action, resource string
		want                                engine.Verdict
	}{
		{"V09 stack", first, "CF.1", "cloudformation:CreateStack", "arn:aws:cloudformation:eu-west-1:111122223333:stack/s/1", allowed},
		{"V09 item through CloudFormation", first, "CF.2", "dynamodb:GetItem", table, allowed},
		{"V09 key through both", first, "CF.3", "kms:Decrypt", key, allowed},
		{"V09 item directly", first, "1", "dynamodb:GetItem", table, implicit},
		{"V09 key directly", first, "1", "kms:Decrypt", key, implicit},
		{"V09 key through DynamoDB called directly", first, "F6", "kms:Decrypt", key, allowed},
		{"V10 item", second, "CF.2", "dynamodb:GetItem", table, allowed},
		{"V10 key", second, "CF.3", "kms:Decrypt", key, allowed},
		{"V10 key through DynamoDB called directly", second, "F6", "kms:Decrypt", key, implicit},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p, ctx := column(t, tc.col)
			policies := (&test{identity: []string{tc.policy}}).policies(t)
			got := engine.Evaluate(policies, &engine.Request{Principal: p, Action: tc.action, Resource: lit(tc.resource), ResourceAccount: lit(account), Context: ctx})
			if got.Verdict != tc.want {
				t.Errorf("got %v, want %v: %q", got.Verdict, tc.want, reasons(got))
			}
		})
	}
}

// Conformance vectors over contexts given as they are: an Allow under a condition.
func TestVectorsOfConditions(t *testing.T) {
	for _, tc := range []struct {
		name, condition string
		context         []string
		want            bool
	}{
		{"V16 absent", `"ForAllValues:StringNotEquals":{"aws:CalledVia":["dataexchange.amazonaws.com","servicecatalog.amazonaws.com"]}`, nil, true},
		{"V16 another", `"ForAllValues:StringNotEquals":{"aws:CalledVia":["dataexchange.amazonaws.com","servicecatalog.amazonaws.com"]}`, []string{"aws:CalledVia=[athena.amazonaws.com]"}, true},
		{"V16 listed", `"ForAllValues:StringNotEquals":{"aws:CalledVia":["dataexchange.amazonaws.com","servicecatalog.amazonaws.com"]}`, []string{"aws:CalledVia=[dataexchange.amazonaws.com]"}, false},
		{"V17 absent", `"ForAllValues:StringEquals":{"aws:TagKeys":["a","b"]}`, nil, true},
		{"V17 empty", `"ForAllValues:StringEquals":{"aws:TagKeys":["a","b"]}`, []string{"aws:TagKeys=[]"}, true},
		{"V17 a", `"ForAllValues:StringEquals":{"aws:TagKeys":["a","b"]}`, []string{"aws:TagKeys=[a]"}, true},
		{"V17 a and c", `"ForAllValues:StringEquals":{"aws:TagKeys":["a","b"]}`, []string{"aws:TagKeys=[a,c]"}, false},
		{"V18 absent", `"ForAllValues:StringEquals":{"aws:TagKeys":["a","b"]},"Null":{"aws:TagKeys":"false"}`, nil, false},
		{"V18 a", `"ForAllValues:StringEquals":{"aws:TagKeys":["a","b"]},"Null":{"aws:TagKeys":"false"}`, []string{"aws:TagKeys=[a]"}, true},
		{"V19 case", `"ForAnyValue:StringEquals":{"aws:TagKeys":"environment"}`, []string{"aws:TagKeys=[Environment]"}, false},
		{"V19 one of two", `"ForAnyValue:StringEquals":{"aws:TagKeys":"environment"}`, []string{"aws:TagKeys=[environment,x]"}, true},
		{"V19 absent", `"ForAnyValue:StringEquals":{"aws:TagKeys":"environment"}`, nil, false},
		{"V20 MFA", `"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}`, []string{"aws:MultiFactorAuthPresent=true"}, false},
		{"V22 hop 1", `"BoolIfExists":{"aws:MultiFactorAuthPresent":"true"}`, nil, true},
		{"V22 the hop of a service", `"BoolIfExists":{"aws:MultiFactorAuthPresent":"true"}`, []string{"aws:MultiFactorAuthPresent=false"}, false},
		{"V23 ArnLike", `"ArnLike":{"aws:SourceArn":"arn:aws:svc:*:111122223333:finance/*"}`, []string{"aws:SourceArn=arn:aws:svc:us-east-2:999999999999:store/abc:111122223333:finance/doc"}, false},
		{"V23 StringLike", `"StringLike":{"aws:SourceArn":"arn:aws:svc:*:111122223333:finance/*"}`, []string{"aws:SourceArn=arn:aws:svc:us-east-2:999999999999:store/abc:111122223333:finance/doc"}, true},
		{"V24 through its own endpoint", v24, []string{"aws:SourceVpc=vpc-1", "aws:Ec2InstanceSourceVpc=vpc-1", "ec2:SourceInstanceArn=arn:aws:ec2:::i", "aws:ViaAWSService=false"}, false},
		{"V24 stolen credentials", v24, []string{"aws:SourceIp=198.51.100.1", "aws:Ec2InstanceSourceVpc=vpc-1", "ec2:SourceInstanceArn=arn:aws:ec2:::i", "aws:ViaAWSService=false"}, true},
		{"V24 through a service", v24, []string{"aws:Ec2InstanceSourceVpc=vpc-1", "ec2:SourceInstanceArn=arn:aws:ec2:::i", "aws:ViaAWSService=true"}, false},
		{"V24 no instance", v24, []string{"aws:SourceIp=198.51.100.1", "aws:ViaAWSService=false"}, false},
		{"V29 in the range", `"IpAddress":{"aws:SourceIp":"203.0.113.7/24"}`, []string{"aws:SourceIp=203.0.113.200"}, true},
		{"V29 mapped", `"IpAddress":{"aws:SourceIp":"203.0.113.7/24"}`, []string{"aws:SourceIp=::ffff:203.0.113.5"}, true},
		{"V29 IPv6", `"IpAddress":{"aws:SourceIp":"203.0.113.7/24"}`, []string{"aws:SourceIp=2001:db8::1"}, false},
		{"V48 http", `"BoolIfExists":{"aws:SecureTransport":"false"}`, []string{"aws:SecureTransport=false"}, true},
		{"V49 a key that the service does not know", `"StringNotEqualsIfExists":{"aws:VpceOrgID":"o-1"}`, []string{"aws:SourceVpce=vpce-1"}, true},
	} {
		want := implicit
		if tc.want {
			want = allowed
		}
		runAll(t, []test{{name: tc.name, principal: user, context: tc.context, want: want,
			identity: []string{`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{` + tc.condition + `}}`}}})
	}
}

const v24 = `"StringNotEquals":{"aws:SourceVpc":"${aws:Ec2InstanceSourceVpc}"},"Null":{"ec2:SourceInstanceArn":"false"},"BoolIfExists":{"aws:ViaAWSService":"false"}`
