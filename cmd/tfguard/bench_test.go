package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// BenchmarkCheck is the whole check, from the bytes of a plan to the text of the
// report, for plans of n roles that each read one of n buckets.
func BenchmarkCheck(b *testing.B) {
	for _, n := range []int{10, 100, 1000, 2000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			content := bigPlan(b, n)
			path := filepath.Join(b.TempDir(), "plan.json")
			if err := os.WriteFile(path, content, 0o600); err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(content)))
			b.ReportAllocs()
			for b.Loop() {
				if got := tfguard(b, "check", path); got.code != 0 || got.stderr != "" {
					b.Fatalf("exit code %d: %s", got.code, got.stderr)
				}
			}
		})
	}
}

// The plan of the benchmark is what it says: otherwise it measures nothing.
func TestBenchmarkPlan(t *testing.T) {
	path := filepath.Join(t.TempDir(), "plan.json")
	if err := os.WriteFile(path, bigPlan(t, 3), 0o600); err != nil {
		t.Fatal(err)
	}
	var r struct {
		Inputs  []struct{ Principals, Resources, Policies, Unread int }
		Replays []struct{ Chain, PrincipalAddress, ResourceAddress, Action, Verdict string }
	}
	if err := json.Unmarshal([]byte(tfguard(t, "check", "-o", "json", path).stdout), &r); err != nil {
		t.Fatal(err)
	}
	if in := r.Inputs[0]; in.Principals != 3 || in.Resources != 3 || in.Policies != 9 || in.Unread != 0 {
		t.Errorf("%+v", in)
	}
	verdicts := map[string]int{}
	for _, p := range r.Replays {
		if p.PrincipalAddress == "aws_iam_role.app[1]" && p.ResourceAddress == "aws_s3_bucket.app[1]" && p.Action == "s3:GetObject" {
			verdicts[p.Chain+" "+p.Verdict]++
		}
	}
	if verdicts["direct-corporate allowed"] != 1 || verdicts["direct-internet explicitDeny"] != 1 {
		t.Errorf("%v", verdicts)
	}
}

type object = map[string]any

// wide are actions that some roles of the big plan may call on everything.
var wide = []string{"iam:PassRole", "iam:Pass*", "kms:*", "lambda:Update*", "dynamodb:Scan", "logs:*", "ssm:Get*"}

// bigPlan makes a plan of n roles and n buckets: each role may read its own bucket,
// whose policy denies all from outside of a network, and one of ten something else on
// everything.
func bigPlan(tb testing.TB, n int) []byte {
	tb.Helper()
	doc := func(statements ...object) string {
		text, err := json.Marshal(object{"Version": "2012-10-17", "Statement": statements})
		if err != nil {
			tb.Fatal(err)
		}
		return string(text)
	}
	var changes, resources []object
	add := func(kind string, i int, values object) {
		changes = append(changes, object{
			"address": fmt.Sprintf("%s.app[%d]", kind, i), "mode": "managed", "type": kind, "name": "app", "index": i,
			"provider_name": "registry.terraform.io/hashicorp/aws",
			"change": object{"actions": []string{"create"}, "before": nil, "after": values,
				"after_unknown": object{}, "before_sensitive": false, "after_sensitive": object{}},
		})
	}
	for _, kind := range []string{"aws_iam_role", "aws_iam_role_policy", "aws_s3_bucket", "aws_s3_bucket_policy"} {
		expressions := object{}
		for _, name := range []string{"name", "role", "bucket", "policy", "assume_role_policy"} {
			expressions[name] = object{"references": []string{"count.index"}}
		}
		resources = append(resources, object{
			"address": kind + ".app", "mode": "managed", "type": kind, "name": "app", "provider_config_key": "aws",
			"expressions": expressions, "schema_version": 0, "count_expression": object{"constant_value": n},
		})
	}
	for i := range n {
		name := fmt.Sprintf("app-%04d", i)
		role, bucket := "arn:aws:iam::123456789012:role/"+name, "arn:aws:s3:::"+name
		add("aws_iam_role", i, object{"name": name, "path": "/", "arn": role, "id": name, "assume_role_policy": doc(object{
			"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": object{"Service": "ec2.amazonaws.com"},
		})})
		statements := []object{{"Effect": "Allow", "Action": "s3:GetObject", "Resource": bucket + "/*"}}
		if i%10 == 2 {
			statements = append(statements, object{"Effect": "Allow", "Action": wide[i/10%len(wide)], "Resource": "*"})
		}
		add("aws_iam_role_policy", i, object{"name": name, "role": name, "policy": doc(statements...)})
		add("aws_s3_bucket", i, object{"bucket": name, "id": name, "arn": bucket})
		add("aws_s3_bucket_policy", i, object{"bucket": name, "policy": doc(object{
			"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": []string{bucket, bucket + "/*"},
			"Condition": object{
				"NotIpAddress": object{"aws:SourceIp": "203.0.113.0/24"},
				"Bool":         object{"aws:ViaAWSService": "false"},
			},
		})})
	}
	text, err := json.Marshal(object{
		"format_version": "1.2", "terraform_version": "1.11.4", "timestamp": "2026-11-21T00:00:00Z",
		"applyable": true, "complete": true, "errored": false,
		"resource_changes": changes,
		"configuration": object{
			"provider_config": object{"aws": object{"name": "aws", "full_name": "registry.terraform.io/hashicorp/aws",
				"expressions": object{"region": object{"constant_value": "eu-central-1"}}}},
			"root_module": object{"resources": resources},
		},
	})
	if err != nil {
		tb.Fatal(err)
	}
	return text
}
