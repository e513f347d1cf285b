package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tfguard/tfguard/cmd/tfguard/internal/report"
	"github.com/tfguard/tfguard/fixtures"
)

// accessChanges renders the changes of a report, one a line.
func accessChanges(r *report.Report) []string {
	var out []string
	for i := range r.Changes {
		c := &r.Changes[i]
		who, on := c.PrincipalAddress, c.ResourceAddress
		if who == "" {
			who = c.Principal
		}
		var by []string
		for _, b := range c.Because {
			was := ""
			if b.Before {
				was = " before"
			}
			by = append(by, fmt.Sprintf("%s %d %s%s", b.Policy, b.Statement, b.Effect, was))
		}
		chain := c.Chain
		if c.From != "" {
			chain += " from " + c.From
		}
		out = append(out, fmt.Sprintf("%s: %s %s on %s: %s -> %s by %s", chain, who, c.Action, on, c.Before, c.After, strings.Join(by, ", ")))
	}
	return out
}

// checkText is the report of a plan that a test makes.
func checkText(t *testing.T, plan string) *report.Report {
	t.Helper()
	file := filepath.Join(t.TempDir(), "plan.json")
	if err := os.WriteFile(file, []byte(plan), 0o600); err != nil {
		t.Fatal(err)
	}
	got := tfguard(t, "check", "-o", "json", file)
	r, err := report.Read(strings.NewReader(got.stdout))
	if err != nil {
		t.Fatalf("%v, stderr %q", err, got.stderr)
	}
	return r
}

func TestShowAccessGained(t *testing.T) {
	_, r, _ := reportOf(t, "lifecycle-03-update")
	var want []string
	for _, chain := range []string{"direct-corporate", "direct-internet", "direct-vpc-endpoint", "lambda-execution", "lambda-vpc"} {
		want = append(want, chain+": aws_iam_role.app s3:PutObject on aws_s3_bucket.data: implicitDeny -> allowed by aws_iam_policy.app.policy 1 Allow")
	}
	if got := accessChanges(r); !slices.Equal(got, want) {
		t.Errorf("got %s", strings.Join(got, "\n"))
	}
}

func TestShowAccessLost(t *testing.T) {
	_, r, _ := reportOf(t, "exemption-removed")
	got := accessChanges(r)
	want := "cloudtrail-s3: cloudtrail.amazonaws.com s3:PutObject on aws_s3_bucket.logs: allowed -> explicitDeny by aws_s3_bucket_policy.logs.policy 4 Deny"
	if !slices.Contains(got, want) {
		t.Errorf("got %s", strings.Join(got, "\n"))
	}
	for _, line := range got {
		if !strings.Contains(line, ": allowed -> explicitDeny by aws_s3_bucket_policy.logs.policy 4 Deny") {
			t.Errorf("no loss by the Deny: %s", line)
		}
	}
}

// A range that is widened to all addresses, and an endpoint that joins a list, let in
// who was outside before: the witness is an address, or the endpoint.
func TestShowAccessOfWidenedNetworks(t *testing.T) {
	_, r, _ := reportOf(t, "network-widened")
	const office, private = "aws_s3_bucket_policy.office.policy 1 Deny before", "aws_s3_bucket_policy.private.policy 1 Deny before"
	want := []string{
		"direct-internet from 198.51.100.1: aws_iam_role.reader s3:GetObject on aws_s3_bucket.office: explicitDeny -> allowed by " + office + ", aws_iam_role_policy.reader.policy 1 Allow",
		"direct-vpc-endpoint from vpce-0e5f6a7b: aws_iam_role.reader s3:GetObject on aws_s3_bucket.private: explicitDeny -> allowed by " + private + ", aws_iam_role_policy.reader.policy 1 Allow",
	}
	got := slices.DeleteFunc(accessChanges(r), func(line string) bool { return !strings.Contains(line, "aws_iam_role.reader") })
	if !slices.Equal(got, want) {
		t.Errorf("got %s", strings.Join(got, "\n"))
	}
	for _, note := range r.Inputs[0].Notes {
		if strings.Contains(note, "compared") {
			t.Error(note)
		}
	}
}

// Both worlds are compared from the networks that the policies of either tell apart.
func TestAccessFromEachNetwork(t *testing.T) {
	for _, test := range []struct {
		name, before, after string // conditions
		want                []string
	}{
		{
			"wider range", `{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}`, `{"IpAddress":{"aws:SourceIp":"203.0.112.0/22"}}`,
			[]string{"direct-corporate from 203.0.112.1: implicitDeny -> allowed"},
		},
		{
			"one more range", `{"IpAddress":{"aws:SourceIp":["203.0.113.0/24"]}}`, `{"IpAddress":{"aws:SourceIp":["203.0.113.0/24","198.51.100.0/24"]}}`,
			[]string{"direct-corporate from 198.51.100.1: implicitDeny -> allowed"},
		},
		{
			"another range", `{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}`, `{"IpAddress":{"aws:SourceIp":"100.20.0.0/16"}}`,
			[]string{"direct-corporate from 203.0.113.1: allowed -> implicitDeny", "direct-corporate from 100.20.0.1: implicitDeny -> allowed"},
		},
		{
			"all of IPv6", `{"IpAddress":{"aws:SourceIp":["203.0.113.0/24","2001:db8:1::/48"]}}`, `{"IpAddress":{"aws:SourceIp":["203.0.113.0/24","::/0"]}}`,
			[]string{"direct-internet from 2001:db8::1: implicitDeny -> allowed"},
		},
		{
			"all addresses in two ranges", `{"IpAddress":{"aws:SourceIp":"0.0.0.0/0"}}`, `{"IpAddress":{"aws:SourceIp":["0.0.0.0/1","128.0.0.0/1"]}}`,
			nil,
		},
		{
			"narrowed", `{"IpAddress":{"aws:SourceIp":"0.0.0.0/0"}}`, `{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}`,
			[]string{"direct-internet from 198.51.100.1: allowed -> implicitDeny"},
		},
		{
			"a range taken out", `{"NotIpAddress":{"aws:SourceIp":"100.20.0.0/16"}}`, `{"NotIpAddress":{"aws:SourceIp":["100.20.0.0/16","198.51.100.0/24"]}}`,
			[]string{"direct-internet from 198.51.100.1: allowed -> implicitDeny"},
		},
		{
			"no condition", `{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}`, `{}`,
			[]string{"direct-internet from 198.51.100.1: implicitDeny -> allowed", "direct-vpc-endpoint from a VPC endpoint: implicitDeny -> allowed"},
		},
		{
			"one more VPC", `{"StringEquals":{"aws:SourceVpc":"vpc-0a"}}`, `{"StringEquals":{"aws:SourceVpc":["vpc-0a","vpc-0b"]}}`,
			[]string{"direct-vpc-endpoint from a VPC endpoint in vpc-0b: implicitDeny -> allowed"},
		},
		{
			"any endpoint", `{"StringEquals":{"aws:SourceVpce":"vpce-0a"}}`, `{"StringLike":{"aws:SourceVpce":"vpce-*"}}`,
			[]string{"direct-vpc-endpoint from another VPC endpoint: implicitDeny -> allowed"},
		},
		{
			"wider private range", `{"IpAddress":{"aws:VpcSourceIp":"10.1.0.0/16"}}`, `{"IpAddress":{"aws:VpcSourceIp":"10.0.0.0/8"}}`,
			[]string{"direct-vpc-endpoint from 10.0.0.10 through a VPC endpoint: implicitDeny -> allowed"},
		},
		{
			"one condition for two", `{"IpAddress":{"aws:SourceIp":["203.0.113.0/24","198.51.100.0/24"]}}`, `{"IpAddress":{"aws:SourceIp":["198.51.100.0/24","203.0.113.0/24"]}}`,
			nil,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			policy := func(condition string) string {
				return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::data/*","Condition":` + condition + `}]}`
			}
			var got []string
			for _, line := range accessChanges(checkText(t, rolePlan(t, policy(test.before), policy(test.after), "update"))) {
				chain, rest, _ := strings.Cut(line, ": aws_iam_role.app s3:GetObject on aws_s3_bucket.data: ")
				verdicts, _, _ := strings.Cut(rest, " by ")
				if strings.HasPrefix(chain, "direct-") {
					got = append(got, chain+": "+verdicts)
				}
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got %s", strings.Join(got, "\n"))
			}
		})
	}
}

// What comes with the change opens nothing to the account's own principals, and to those
// outside of it what they may do, whether or not the account holds anything yet. The one
// who stands for most others is told.
func TestShowAccessOfNewResources(t *testing.T) {
	want := []string{
		"anonymous: anonymous s3:GetObject on aws_s3_bucket.site: implicitDeny -> allowed by aws_s3_bucket_policy.site.policy 1 Allow",
		"anonymous: anonymous sqs:SendMessage on aws_sqs_queue.inbox: implicitDeny -> allowed by aws_sqs_queue.inbox.policy 1 Allow",
		"assume-role: arn:aws:iam::standin00out:role/tfguard-standin-outside sts:AssumeRole on aws_iam_role.helper: implicitDeny -> allowed by " +
			"arn:aws:iam::aws:policy/AdministratorAccess 1 Allow, aws_iam_role.helper.assume_role_policy 1 Allow",
		"assume-role: arn:aws:iam::444455556666:role/tfguard-standin-admin sts:AssumeRole on aws_iam_role.partner: implicitDeny -> allowed by " +
			"arn:aws:iam::aws:policy/AdministratorAccess 1 Allow, aws_iam_role.partner.assume_role_policy 1 Allow",
	}
	_, grown, _ := reportOf(t, "public-from-the-start")
	var plan object
	if err := json.Unmarshal(fixtures.Read(t, "terraform/public-from-the-start/plan.json"), &plan); err != nil {
		t.Fatal(err)
	}
	plan["resource_changes"] = slices.DeleteFunc(plan["resource_changes"].([]any), func(rc any) bool {
		return rc.(map[string]any)["change"].(map[string]any)["before"] != nil
	})
	text, err := json.Marshal(plan)
	if err != nil {
		t.Fatal(err)
	}
	if got := accessChanges(grown); !slices.Equal(got, want) {
		t.Errorf("beside what was there: %s", strings.Join(got, "\n"))
	}
	// Where the account is not known, nobody can say whether the partner's is another one.
	if got := accessChanges(checkText(t, string(text))); !slices.Equal(got, want[:3]) {
		t.Errorf("greenfield: %s", strings.Join(got, "\n"))
	}
}

// A change set tells of the world before by the previous template, with the parameters as
// they were, or by the property values of what changes: what stays is as the template
// says it.
func TestShowAccessOfChangeSets(t *testing.T) {
	const deny, grant = "LogsPolicy.PolicyDocument 3 Deny", "Auditor.Policies[0].PolicyDocument 1 Allow"
	exempt := []string{
		"direct-corporate from 203.0.113.1: Auditor s3:GetObject on Logs: implicitDeny -> allowed by " + grant,
		"cloudtrail-s3: cloudtrail.amazonaws.com s3:PutObject on Logs: allowed -> explicitDeny by " + deny,
	}
	for name, want := range map[string][]string{
		"previous":   exempt,
		"parameters": {"direct-internet from 198.51.100.1: Auditor s3:GetObject on Logs: explicitDeny -> allowed by " + deny + " before, " + grant},
		"property-values": append(exempt[:2:2],
			"direct-corporate: Guest s3:ListBucket on Logs: allowed -> implicitDeny by Guest.Policies[0].PolicyDocument 1 Allow before",
			"anonymous: anonymous s3:GetObject on Site: implicitDeny -> allowed by SitePolicy.PolicyDocument 1 Allow"),
		"with-template": nil, // which says nothing of what was before
	} {
		got := tfguard(t, "check", "-o", "json", fixtures.Path(t, "cloudformation/change-set/"+name+".json"))
		r, err := report.Read(strings.NewReader(got.stdout))
		if err != nil {
			t.Fatalf("%v, stderr %q", err, got.stderr)
		}
		changes := slices.DeleteFunc(accessChanges(r), func(line string) bool { return strings.Contains(line, "standin") })
		slices.Sort(changes)
		slices.Sort(want)
		if !slices.Equal(changes, want) {
			t.Errorf("%s: %s", name, strings.Join(changes, "\n"))
		}
	}
}

// A network may be widened behind the call: by the policy of the key, of the endpoint that
// it passes, or of the organization.
func TestAccessByOtherPolicies(t *testing.T) {
	const key = "arn:aws:kms:eu-west-1:111122223333:key/11111111-1111-1111-1111-111111111111"
	document := func(statement string) map[string]any {
		return map[string]any{"policy": `{"Version":"2012-10-17","Statement":[` + statement + `]}`}
	}
	role := change("aws_iam_role.app", "no-op", map[string]any{"name": "app", "arn": "arn:aws:iam::111122223333:role/app", "id": "app"}, nil, nil)
	grant := change("aws_iam_role_policy.app", "no-op", map[string]any{"name": "p", "role": "app"},
		document(`{"Effect":"Allow","Action":["s3:GetObject","kms:Decrypt"],"Resource":"*"}`), document(`{"Effect":"Allow","Action":["s3:GetObject","kms:Decrypt"],"Resource":"*"}`))
	bucket := change("aws_s3_bucket.data", "no-op", map[string]any{"bucket": "data", "id": "data", "arn": "arn:aws:s3:::data"}, nil, nil)
	encryption := change("aws_s3_bucket_server_side_encryption_configuration.data", "no-op", map[string]any{"bucket": "data", "rule": []any{
		map[string]any{"apply_server_side_encryption_by_default": []any{map[string]any{"kms_master_key_id": key, "sse_algorithm": "aws:kms"}}},
	}}, nil, nil)
	const narrow, wide = `"203.0.113.0/24"`, `["203.0.113.0/24","100.20.0.0/16"]`
	keyed := func(ranges string) map[string]any {
		return document(`{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":` + ranges + `}}}`)
	}
	passed := func(ranges string) map[string]any {
		return document(`{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*","Condition":{"IpAddress":{"aws:VpcSourceIp":` + ranges + `}}}`)
	}
	bound := func(ranges string) map[string]any {
		return map[string]any{"content": `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"NotIpAddress":{"aws:SourceIp":` + ranges + `}}}]}`}
	}
	for name, test := range map[string]struct {
		changes []object
		want    string
	}{
		"key": {
			[]object{encryption, change("aws_kms_key.k", "update", map[string]any{"arn": key, "key_id": "11111111-1111-1111-1111-111111111111"}, keyed(narrow), keyed(wide))},
			"s3-kms from 100.20.0.1: aws_iam_role.app s3:GetObject on aws_s3_bucket.data: implicitDeny -> allowed",
		},
		"endpoint": {
			[]object{change("aws_vpc_endpoint.s3", "update", map[string]any{"id": "vpce-0a", "vpc_id": "vpc-0a", "service_name": "com.amazonaws.eu-west-1.s3", "vpc_endpoint_type": "Gateway"},
				passed(`"10.1.0.0/16"`), passed(`"10.0.0.0/8"`))},
			"direct-vpc-endpoint from 10.0.0.10 through vpce-0a: aws_iam_role.app s3:GetObject on aws_s3_bucket.data: implicitDeny -> allowed",
		},
		"organization": {
			[]object{
				change("aws_organizations_policy.s", "update", map[string]any{"id": "p-examplep1", "name": "s", "type": "SERVICE_CONTROL_POLICY"}, bound(narrow), bound(wide)),
				change("aws_organizations_policy_attachment.s", "no-op", map[string]any{"policy_id": "p-examplep1", "target_id": "r-examp"}, nil, nil),
			},
			"direct-corporate from 100.20.0.1: aws_iam_role.app s3:GetObject on aws_s3_bucket.data: explicitDeny -> allowed",
		},
	} {
		got := accessChanges(checkText(t, planOf(t, append(test.changes, role, grant, bucket)...)))
		if !slices.ContainsFunc(got, func(line string) bool { return strings.HasPrefix(line, test.want+" by ") }) {
			t.Errorf("%s: %s", name, strings.Join(got, "\n"))
		}
	}
}

// Whom a policy names of another account gains and loses what it says: an account by
// its administrators, a role or user by itself.
func TestAccessOfPartners(t *testing.T) {
	statement := func(principal, condition string) string {
		return `{"Effect":"Allow","Principal":` + principal + `,"Action":"s3:GetObject","Resource":"arn:aws:s3:::data/*","Condition":` + condition + `}`
	}
	own := statement(`{"AWS":"arn:aws:iam::111122223333:role/app"}`, `{}`)
	account := `{"AWS":["444455556666","arn:aws:iam::111122223333:root"]}`
	const admin, standin = "arn:aws:iam::444455556666:role/tfguard-standin-admin", "arn:aws:iam::standin00org:role/tfguard-standin-org"
	for _, test := range []struct {
		name, before, after string
		want                []string // who, and how
	}{
		{"an account", own, own + "," + statement(account, `{}`), []string{admin + " implicitDeny -> allowed"}},
		{"an account no more", own + "," + statement(account, `{}`), own, []string{admin + " allowed -> implicitDeny"}},
		{"a role", own, own + "," + statement(`{"AWS":"arn:aws:iam::444455556666:role/path/reader"}`, `{}`), []string{"arn:aws:iam::444455556666:role/path/reader implicitDeny -> allowed"}},
		{"a user", own, own + "," + statement(`{"AWS":"arn:aws:iam::444455556666:user/u"}`, `{}`), []string{"arn:aws:iam::444455556666:user/u implicitDeny -> allowed"}},
		{"anybody of an account", own, own + "," + statement(`"*"`, `{"StringEquals":{"aws:PrincipalAccount":"444455556666"}}`), []string{admin + " implicitDeny -> allowed"}},
		{"named by both", own + "," + statement(account, `{"Bool":{"aws:SecureTransport":"false"}}`), own + "," + statement(account, `{}`), []string{admin + " implicitDeny -> allowed"}},
		{"a wider network", own + "," + statement(account, `{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}`), own + "," + statement(account, `{"IpAddress":{"aws:SourceIp":"203.0.112.0/23"}}`), []string{admin + " implicitDeny -> allowed"}},
		{"a caller with MFA", own, own + "," + statement(account, `{"Bool":{"aws:MultiFactorAuthPresent":"true"}}`), []string{admin + " implicitDeny -> allowed"}},
		{"a tag that its administrators set", own, own + "," + statement(`{"AWS":"arn:aws:iam::444455556666:role/reader"}`, `{"StringEquals":{"aws:PrincipalTag/team":"x"}}`), []string{"arn:aws:iam::444455556666:role/reader implicitDeny -> allowed"}},
		{"a role with MFA, which sessions of roles do not have", own, own + "," + statement(`{"AWS":"arn:aws:iam::444455556666:role/reader"}`, `{"Bool":{"aws:MultiFactorAuthPresent":"true"}}`), nil},
		{"a user with MFA", own, own + "," + statement(`{"AWS":"arn:aws:iam::444455556666:user/u"}`, `{"Bool":{"aws:MultiFactorAuthPresent":"true"}}`), []string{"arn:aws:iam::444455556666:user/u implicitDeny -> allowed"}},
		{"roles of an account by their names", own, own + "," + statement(account, `{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/ci-*"}}`), []string{admin + " implicitDeny -> allowed"}},
		{"what another's statement asks for", own, own + "," + statement(account, `{"StringEquals":{"aws:PrincipalTag/team":"x"}}`) + "," + statement(`{"AWS":"arn:aws:iam::111122223333:role/app"}`, `{"StringEquals":{"aws:PrincipalTag/team":"y"}}`), []string{admin + " implicitDeny -> allowed"}},
		{"the account itself", own, own + "," + statement(`{"AWS":"111122223333"}`, `{}`), nil},
		{"another organization", statement(`"*"`, `{"StringEquals":{"aws:PrincipalOrgID":"o-ours111111"}}`), statement(`"*"`, `{"StringEquals":{"aws:PrincipalOrgID":"o-theirs1111"}}`), []string{standin + " implicitDeny -> allowed", "arn:aws:iam::standin00out:role/tfguard-standin-o-ours111111 allowed -> implicitDeny"}},
		{
			"one more organization", statement(`"*"`, `{"StringEquals":{"aws:PrincipalOrgID":"o-ours111111"}}`), statement(`"*"`, `{"StringEquals":{"aws:PrincipalOrgID":["o-ours111111","o-theirs1111"]}}`),
			[]string{"arn:aws:iam::standin00out:role/tfguard-standin-o-theirs1111 implicitDeny -> allowed"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			document := func(statements string) string {
				return `{"Version":"2012-10-17","Statement":[` + statements + `]}`
			}
			r := checkText(t, bucketPlan(t, document(test.before), document(test.after)))
			var got []string
			for i := range r.Changes {
				c := &r.Changes[i]
				if c.Chain == "direct-corporate" && c.Action == "s3:GetObject" && c.PrincipalAddress == "" {
					got = append(got, fmt.Sprintf("%s %s -> %s", c.Principal, c.Before, c.After))
				}
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got %q", got)
			}
		})
	}
}

// What another account's administrators have at will, for roles that trust them: MFA, tags,
// the external ID they were told, and the names of sessions and of their roles.
func TestAccessOfTrustedPartners(t *testing.T) {
	const deny = `,{"Effect":"Deny","Principal":"*","Action":"sts:AssumeRole","Condition":{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}}`
	for _, test := range []struct {
		name, condition, more string
		gains                 bool
	}{
		{"MFA", `{"Bool":{"aws:MultiFactorAuthPresent":"true"},"NumericLessThan":{"aws:MultiFactorAuthAge":"3600"}}`, "", true},
		{"a Deny without MFA", `{}`, deny, true},
		{"a tag", `{"StringEquals":{"aws:PrincipalTag/team":"x"}}`, "", true},
		{"an external ID", `{"StringEquals":{"sts:ExternalId":"example"}}`, "", true},
		{"the name of the session", `{"StringLike":{"sts:RoleSessionName":"ci-*"}}`, "", true},
		{"the name of a user", `{"StringLike":{"aws:username":"ci-*"}}`, "", true},
		{"the name of a role", `{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::444455556666:role/ci-*"}}`, "", true},
		{"another account", `{"StringEquals":{"aws:PrincipalAccount":"111122223333"}}`, "", false},
		{"all at once", `{"Bool":{"aws:MultiFactorAuthPresent":"true"},"StringEquals":{"sts:ExternalId":"example","aws:PrincipalTag/team":"x"},"StringLike":{"sts:RoleSessionName":"ci-*"}}`, "", true},
	} {
		own := `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"sts:AssumeRole"}`
		trust := func(statements string) map[string]any {
			return map[string]any{"assume_role_policy": `{"Version":"2012-10-17","Statement":[` + statements + `]}`}
		}
		let := `{"Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"sts:AssumeRole","Condition":` + test.condition + `}`
		r := checkText(t, planOf(t, change("aws_iam_role.app", "update", map[string]any{"name": "app", "arn": "arn:aws:iam::111122223333:role/app", "id": "app"}, trust(own+test.more), trust(own+","+let+test.more))))
		const want = "assume-role: arn:aws:iam::444455556666:role/tfguard-standin-admin sts:AssumeRole on aws_iam_role.app: implicitDeny -> allowed by "
		got := accessChanges(r)
		if gains := slices.ContainsFunc(got, func(line string) bool { return strings.HasPrefix(line, want) }); gains != test.gains || len(got) > 1 {
			t.Errorf("%s: %s", test.name, strings.Join(got, "\n"))
		}
	}
}

// What says the same in another order or layout is no change, nor is a plan that
// changes nothing or creates everything.
func TestShowNoAccessChanges(t *testing.T) {
	for _, name := range []string{"statements-reordered", "lifecycle-01-create", "lifecycle-02-noop", "cloudtrail-network-deny", "athena-blog"} {
		if _, r, _ := reportOf(t, name); len(r.Changes) != 0 {
			t.Errorf("%s: %s", name, strings.Join(accessChanges(r), "\n"))
		}
	}
}

// The world before is replayed with the chains that a policy of either world asks for:
// what was allowed by a wildcard is not gained by naming it, and what the wildcard
// allowed is lost although nothing asks for it any more.
func TestAccessByWildcard(t *testing.T) {
	role := func(actions string) string {
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":` + actions + `,"Resource":"*"}]}`
	}
	wild, named, less := role(`"*"`), role(`["glue:*","s3:*","lambda:*","athena:*","cloudformation:*"]`), role(`["s3:PutObject"]`)
	for _, test := range []struct {
		before, after string
		lost          bool
	}{{wild, named, false}, {named, wild, false}, {wild, less, true}} {
		r := checkText(t, rolePlan(t, test.before, test.after, "update"))
		for i := range r.Changes {
			c := &r.Changes[i]
			if strings.HasPrefix(c.Action, "s3:") && c.After.String() == "allowed" {
				t.Errorf("%s to %s: gains %s through %s", test.before, test.after, c.Action, c.Chain)
			}
		}
		lost := slices.ContainsFunc(accessChanges(r), func(line string) bool {
			return strings.HasPrefix(line, "direct-corporate: aws_iam_role.app s3:GetObject on aws_s3_bucket.data: allowed -> implicitDeny by aws_iam_role_policy.app.policy 1 Allow before")
		})
		if lost != test.lost {
			t.Errorf("%s to %s: %s", test.before, test.after, strings.Join(accessChanges(r), "\n"))
		}
	}
}

// A role that is new gains access to a bucket that is not; access to a bucket that is
// new is no change.
func TestAccessOfNewPrincipal(t *testing.T) {
	allow := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}`
	r := checkText(t, rolePlan(t, "", allow, "create"))
	want := "direct-corporate: aws_iam_role.app s3:GetObject on aws_s3_bucket.data: implicitDeny -> allowed by aws_iam_role_policy.app.policy 1 Allow"
	got := accessChanges(r)
	if !slices.Contains(got, want) {
		t.Errorf("got %s", strings.Join(got, "\n"))
	}
	for _, line := range got {
		if strings.Contains(line, "aws_s3_bucket.fresh") {
			t.Errorf("a change between what is new: %s", line)
		}
	}
	if r := checkText(t, rolePlan(t, allow, "", "delete")); !slices.Contains(accessChanges(r), "direct-corporate: aws_iam_role.app s3:GetObject on aws_s3_bucket.data: allowed -> implicitDeny by aws_iam_role_policy.app.policy 1 Allow before") {
		t.Errorf("got %s", strings.Join(accessChanges(r), "\n"))
	}
}

// rolePlan is a plan of a role with a policy, a bucket that was there before and one
// that is created.
func rolePlan(t *testing.T, before, after, action string) string {
	t.Helper()
	roleAction := action
	if action == "update" {
		roleAction = "no-op"
	}
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"sts:AssumeRole"}]}`
	return planOf(t,
		change("aws_iam_role.app", roleAction, map[string]any{"name": "app", "arn": "arn:aws:iam::111122223333:role/app", "id": "app", "assume_role_policy": trust}, nil, nil),
		change("aws_iam_role_policy.app", action, map[string]any{"name": "p", "role": "app"}, map[string]any{"policy": before}, map[string]any{"policy": after}),
		change("aws_s3_bucket.data", "no-op", map[string]any{"bucket": "data", "id": "data", "arn": "arn:aws:s3:::data"}, nil, nil),
		change("aws_s3_bucket.fresh", "create", map[string]any{"bucket": "fresh"}, nil, nil),
	)
}

// bucketPlan is a plan of a bucket whose policy changes, beside a role of the account.
func bucketPlan(t *testing.T, before, after string) string {
	t.Helper()
	return planOf(t,
		change("aws_iam_role.app", "no-op", map[string]any{"name": "app", "arn": "arn:aws:iam::111122223333:role/app", "id": "app"}, nil, nil),
		change("aws_s3_bucket.data", "no-op", map[string]any{"bucket": "data", "id": "data", "arn": "arn:aws:s3:::data"}, nil, nil),
		change("aws_s3_bucket_policy.data", "update", map[string]any{"bucket": "data"}, map[string]any{"policy": before}, map[string]any{"policy": after}),
		change("aws_s3_bucket_public_access_block.data", "no-op", map[string]any{"bucket": "data", "block_public_policy": false, "restrict_public_buckets": false}, nil, nil),
	)
}

// change is a change of a resource, with what it was and will be beside values that stay.
func change(address, action string, values, was, will map[string]any) object {
	typ, name, _ := strings.Cut(address, ".")
	side := func(more map[string]any, there bool) any {
		if !there {
			return nil
		}
		out := map[string]any{}
		for _, m := range []map[string]any{values, more} {
			maps.Copy(out, m)
		}
		return out
	}
	return object{
		"address": address, "mode": "managed", "type": typ, "name": name, "provider_name": "registry.terraform.io/hashicorp/aws",
		"change": object{
			"actions": []string{action}, "before": side(was, action != "create"), "after": side(will, action != "delete"),
			"after_unknown": object{}, "before_sensitive": false, "after_sensitive": false,
		},
	}
}

func planOf(t *testing.T, changes ...object) string {
	t.Helper()
	text, err := json.Marshal(object{
		"format_version": "1.2", "terraform_version": "1.9.0", "planned_values": object{"root_module": object{}}, "configuration": object{},
		"resource_changes": changes,
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Pairs that replays stand for are compared like those that are replayed one by one.
func TestAccessChangesWhereFolded(t *testing.T) {
	for _, name := range []string{"lifecycle-03-update", "network-widened"} {
		t.Run(name, func(t *testing.T) { foldedAlike(t, fixtures.Path(t, "terraform/"+name+"/plan.json")) })
	}
}

func foldedAlike(t *testing.T, file string) {
	t.Helper()
	whole, folded := tfguard(t, "check", "-o", "json", file), tfguard(t, "check", "-o", "json", "--max-replays", "1", file)
	var got [2][]string
	for i, text := range []string{whole.stdout, folded.stdout} {
		r, err := report.Read(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range r.Changes {
			got[i] = append(got[i], fmt.Sprint(c.Chain, c.Action, c.PrincipalAddress, c.ResourceAddress, c.From, c.Before, c.After, c.Because))
		}
		slices.Sort(got[i])
	}
	if len(got[0]) == 0 || !slices.Equal(got[0], got[1]) {
		t.Errorf("folded: %q\nelse: %q", got[1], got[0])
	}
}
