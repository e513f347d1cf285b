package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tfguard/tfguard/cmd/tfguard/internal/report"
)

type array = []any

// sentinels are what stands in the sensitive values of a plan: words that nothing
// else holds, some with the syntax that their place asks for.
var sentinels = []string{"s3ntinel", "198.18.77.", "777744440000"}

func statement(members object) object {
	out := object{"Effect": "Allow", "Action": array{"s3:GetObject", "s3:PutObject", "s3:s3ntinel"}, "Resource": "*"}
	for k, v := range members {
		if v == nil {
			delete(out, k)
		} else {
			out[k] = v
		}
	}
	return out
}

func policyText(t *testing.T, statements ...object) string {
	t.Helper()
	for i, st := range statements {
		if st["Sid"] == nil {
			st["Sid"] = "s3ntinel" + string(rune('A'+i))
		}
	}
	text, err := json.Marshal(object{"Version": "2012-10-17", "Statement": statements})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// sensitivePlan writes a plan whose policies and names hold sentinels. The policies
// are made of extra too, for each kind as it may stand there. marks says whether the
// plan marks them sensitive.
func sensitivePlan(t *testing.T, marks bool, extra object, malformed string) string {
	t.Helper()
	var changes, blocks array
	add := func(address string, before bool, values object, sensitive object, refs object) {
		typ, name, _ := strings.Cut(address, ".")
		change := object{"actions": array{"create"}, "before": nil, "after": values, "after_unknown": object{"arn": true, "id": true}, "after_sensitive": object{}}
		if before {
			change["actions"], change["before"], change["after_unknown"] = array{"no-op"}, values, object{}
		}
		if marks {
			change["after_sensitive"] = sensitive
			if before {
				change["before_sensitive"] = sensitive
			}
		}
		changes = append(changes, object{
			"address": address, "mode": "managed", "type": typ, "name": name,
			"provider_name": "registry.terraform.io/hashicorp/aws", "change": change,
		})
		expressions := object{}
		for attr, ref := range refs {
			expressions[attr] = object{"references": array{ref}}
		}
		for attr := range values {
			if expressions[attr] == nil {
				expressions[attr] = object{}
			}
		}
		blocks = append(blocks, object{"address": address, "mode": "managed", "type": typ, "name": name, "provider_config_key": "aws", "expressions": expressions})
	}
	service := object{"Service": "cloudtrail.amazonaws.com"}
	own := func(principal any) []object {
		all := []object{
			statement(object{"Condition": object{
				"IpAddress":    object{"aws:SourceIp": array{"198.18.77.0/24"}},
				"StringEquals": object{"aws:SourceVpce": "vpce-0s3ntinel", "aws:SourceVpc": "vpc-0s3ntinel", "aws:PrincipalTag/s3ntinel": "s3ntinel"},
				"ArnLike":      object{"aws:PrincipalArn": "arn:aws:iam::777744440000:role/s3ntinel*", "aws:SourceArn": "arn:aws:sns:us-east-1:777744440000:s3ntinel"},
			}}),
			statement(object{"Action": "athena:*", "Resource": "arn:aws:athena:us-east-1:777744440000:workgroup/s3ntinel"}),
			statement(object{"Resource": "arn:aws:s3:::s3ntinel-bucket/s3ntinel/*"}),
			statement(object{"Resource": "arn:aws:s3:::s3ntinel-other/*", "Condition": object{"StringEquals": object{"aws:PrincipalOrgID": "o-s3ntinel0000"}}}),
			statement(extra),
		}
		for _, st := range all {
			if principal != nil && st["NotPrincipal"] == nil {
				st["Principal"] = principal
			}
		}
		return all
	}
	anyone := object{"AWS": array{"*", "arn:aws:iam::777744440000:role/s3ntinel", "arn:aws:iam::777744440000:group/s3ntinel", "s3ntinel*", "AROAS3NTINEL"}}
	resource := append(own(anyone),
		statement(object{"Principal": object{"Service": array{"s3ntinel.amazonaws.com", "delivery.logs.amazonaws.com"}}}),
		statement(object{"Principal": service, "Action": "s3:GetBucketAcl", "Resource": "arn:aws:s3:::s3ntinel-bucket"}),
		statement(object{"Principal": service, "Resource": "arn:aws:s3:::s3ntinel-bucket/s3ntinel-prefix/AWSLogs/*"}),
		statement(object{
			"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": array{"arn:aws:s3:::s3ntinel-bucket", "arn:aws:s3:::s3ntinel-bucket/*"},
			"Condition": object{"NotIpAddress": object{"aws:SourceIp": "198.18.77.0/24"}},
		}))
	trust := own(anyone)
	for _, st := range trust {
		st["Action"] = "sts:AssumeRole"
		delete(st, "Resource")
	}

	secret := object{"policy": true, "bucket": true}
	add("aws_s3_bucket.b", true, object{
		"bucket": "s3ntinel-bucket", "id": "s3ntinel-bucket", "arn": "arn:aws:s3:::s3ntinel-bucket",
		"tags": object{"Key": "s3ntinel"}, "tags_all": object{"Key": "s3ntinel"}, "policy": policyText(t, resource...),
	}, object{"bucket": true, "tags": object{"Key": true}, "tags_all": object{"Key": true}}, nil)
	add("aws_s3_bucket.new", false, object{"bucket": "s3ntinel-new"}, object{"bucket": true}, nil)
	add("aws_s3_bucket_policy.b", false, object{"bucket": "s3ntinel-bucket", "policy": policyText(t, resource...)}, secret, object{"bucket": "aws_s3_bucket.b.id"})
	add("aws_s3_bucket_policy.new", false, object{"bucket": "s3ntinel-new", "policy": malformed}, secret, nil)
	add("aws_s3_bucket_policy.elsewhere", false, object{"bucket": "s3ntinel-elsewhere", "policy": policyText(t, resource...)}, secret, nil)
	add("aws_cloudtrail.t", false, object{"name": "s3ntinel-trail", "s3_bucket_name": "s3ntinel-bucket", "s3_key_prefix": "s3ntinel-prefix"},
		object{"name": true, "s3_bucket_name": true, "s3_key_prefix": true}, nil)
	add("aws_iam_role.r", true, object{
		"name": "s3ntinel-role", "id": "s3ntinel-role", "arn": "arn:aws:iam::111122223333:role/s3ntinel-role", "assume_role_policy": policyText(t, trust...),
		"tags": object{"s3ntinel": "s3ntinel"}, "tags_all": object{"s3ntinel": "s3ntinel"}, "permissions_boundary": "arn:aws:iam::111122223333:policy/s3ntinel-policy",
		"inline_policy": array{object{"name": "s3ntinel", "policy": policyText(t, own(nil)...)}},
	}, object{"name": true, "assume_role_policy": true, "tags": true, "inline_policy": true}, nil)
	add("aws_iam_role_policy.r", false, object{"role": "s3ntinel-role", "name": "s3ntinel", "policy": policyText(t, own(nil)...)}, object{"role": true, "name": true, "policy": true}, nil)
	add("aws_iam_policy.p", false, object{"name": "s3ntinel-policy", "policy": policyText(t, own(nil)...)}, object{"name": true, "policy": true}, nil)
	add("aws_iam_role_policy_attachment.r", false, object{"role": "s3ntinel-role", "policy_arn": "arn:aws:iam::111122223333:policy/s3ntinel-outside"}, object{"role": true, "policy_arn": true}, nil)
	add("aws_iam_user.u", false, object{"name": "u", "tags": object{"Key": "s3ntinel"}}, object{"tags": object{"Key": true}}, nil)
	add("aws_iam_user_policy.u", false, object{"user": "u", "policy": policyText(t, own(nil)...)}, object{"policy": true}, nil)
	add("aws_sqs_queue.q", false, object{"name": "s3ntinel-queue", "policy": malformed}, object{"name": true, "policy": true}, nil)
	add("aws_sns_topic.t", true, object{"name": "t", "arn": "arn:aws:sns:us-east-1:111122223333:s3ntinel", "id": "arn:aws:sns:us-east-1:111122223333:s3ntinel"}, object{"arn": true, "id": true}, nil)
	add("aws_kms_key.k", false, object{"policy": policyText(t, resource...)}, object{"policy": true}, nil)
	add("aws_vpc_endpoint.s3", false, object{"service_name": "com.amazonaws.us-east-1.s3", "vpc_id": "vpc-0s3ntinel", "policy": policyText(t, own(anyone)...)}, object{"vpc_id": true, "policy": true}, nil)
	add("aws_organizations_policy.scp", false, object{"name": "n", "content": policyText(t, own(nil)...)}, object{"content": true}, nil)
	add("aws_organizations_policy_attachment.scp", false, object{"target_id": "777744440000"}, object{"target_id": true}, object{"policy_id": "aws_organizations_policy.scp.id"})
	add("aws_lambda_function.f", false, object{"function_name": "s3ntinel-f"}, object{"function_name": true}, nil)
	add("aws_lambda_permission.f", false, object{
		"function_name": "s3ntinel-f", "statement_id": "s3ntinel", "action": "lambda:s3ntinel", "principal": "s3ntinel.amazonaws.com",
		"source_arn": "arn:aws:s3:::s3ntinel-bucket", "source_account": "777744440000",
	}, object{"function_name": true, "statement_id": true, "action": true, "principal": true, "source_arn": true, "source_account": true}, nil)

	plan := object{
		"format_version": "1.2", "terraform_version": "1.11.4", "resource_changes": changes,
		"variables": object{"region": object{"value": "s3ntinel-1"}},
		"configuration": object{
			"provider_config": object{"aws": object{"name": "aws", "expressions": object{"region": object{"references": array{"var.region"}}}}},
			"root_module":     object{"resources": blocks, "variables": object{"region": object{"sensitive": marks}}},
		},
	}
	content, err := json.Marshal(plan)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "plan.json")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// leaks returns the first sentinel in an output with some of what is around it.
func leaks(s string) string {
	for _, w := range sentinels {
		if i := strings.Index(strings.ToLower(s), w); i >= 0 {
			return s[max(i-160, 0):min(i+60, len(s))]
		}
	}
	return ""
}

// What a plan marks sensitive appears in no output, whatever element of whichever
// policy or name it is.
func TestSensitiveElementsStayOut(t *testing.T) {
	for name, c := range map[string]struct {
		extra     object
		malformed string
	}{
		"no JSON":           {object{}, `{"s3ntinel`},
		"a word":            {object{"Action": "s3:Get*"}, `s3ntinel`},
		"unknown element":   {object{"NotAction": "s3:s3ntinel", "Action": nil}, `{"Version":"2012-10-17","s3ntinel":1}`},
		"operator":          {object{"NotResource": "arn:aws:s3:::s3ntinel", "Resource": nil}, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"*","Condition":{"S3ntinelEquals":{"s3ntinel":"s3ntinel"}}}}`},
		"principal":         {object{"NotPrincipal": object{"AWS": "arn:aws:iam::777744440000:role/s3ntinel"}}, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"s3ntinel":"s3ntinel"},"Action":"*"}}`},
		"version":           {object{"Resource": "arn:aws:s3:::s3ntinel-bucket/${s3ntinel"}, `{"Version":"s3ntinel","Statement":[]}`},
		"effect":            {object{"Resource": "s3ntinel"}, `{"Version":"2012-10-17","Statement":{"Effect":"s3ntinel","Principal":"*","Action":"*"}}`},
		"null with numbers": {object{"Condition": object{"NumericEquals": object{"s3:s3ntinel": "s3ntinel"}, "IpAddress": object{"aws:SourceIp": "s3ntinel"}}}, `{"Id":"s3ntinel","Version":"2012-10-17","Statement":{"Sid":"s3ntinel","Effect":"Allow","Principal":{"Service":"s3ntinel.amazonaws.com"},"Action":"sqs:s3ntinel","Condition":{"StringLike":{"aws:s3ntinel":"s3ntinel"}}}}`},
	} {
		t.Run(name, func(t *testing.T) {
			file := sensitivePlan(t, true, c.extra, c.malformed)
			for _, format := range report.Formats() {
				got := tfguard(t, "check", "-o", format, file)
				if w := leaks(got.stdout + got.stderr); w != "" {
					t.Errorf("-o %s shows a sensitive value: %s", format, w)
				}
			}
			got := tfguard(t, "check", "-o", "json", file)
			var r report.Report
			if err := json.Unmarshal([]byte(got.stdout), &r); err != nil {
				t.Fatal(err, got.stderr)
			}
			found := false
			for _, f := range r.Findings {
				found = found || f.Rule == "service-principal-locked-out" && strings.Contains(f.Message, " (sensitive) ")
			}
			if !found {
				t.Error("there is no lock-out, so this test shows less than it should")
			}
			explained := 0
			for i := 0; i < len(r.Replays); i += max(len(r.Replays)/8, 1) {
				rep := &r.Replays[i]
				who, what := rep.PrincipalAddress, rep.ResourceAddress
				if who == "" {
					who = rep.Principal
				}
				if what == "" {
					what = rep.Resource
				}
				for _, format := range []string{"text", "json"} {
					got := tfguard(t, "explain", "-o", format, "--chain", rep.Chain, "--principal", who, "--action", rep.Action, "--resource", what, file)
					if w := leaks(got.stdout + got.stderr); w != "" {
						t.Fatalf("explain -o %s shows a sensitive value: %s", format, w)
					}
					if got.code == 0 {
						explained++
					}
				}
			}
			if explained == 0 {
				t.Error("nothing was explained")
			}
			// The same plan without its marks shows them, or this test shows nothing.
			if got := tfguard(t, "check", "-o", "json", sensitivePlan(t, false, c.extra, c.malformed)); leaks(got.stdout) == "" {
				t.Error("the plan without marks does not show the values either")
			}
		})
	}
}
