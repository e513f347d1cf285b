//go:build unix

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// fifty are the actions that the rules of the benchmark each forbid on everything.
const fifty = `iam:PassRole iam:CreateUser iam:CreateAccessKey iam:AttachRolePolicy iam:PutRolePolicy iam:CreateRole
iam:UpdateAssumeRolePolicy iam:CreatePolicyVersion iam:SetDefaultPolicyVersion iam:DeleteRolePermissionsBoundary sts:AssumeRole
s3:PutBucketPolicy s3:DeleteBucket s3:PutBucketAcl s3:PutAccountPublicAccessBlock s3:DeleteObject s3:PutObject s3:GetObject
s3:ListAllMyBuckets s3:PutReplicationConfiguration kms:Decrypt kms:PutKeyPolicy kms:ScheduleKeyDeletion kms:CreateGrant
kms:DisableKey lambda:UpdateFunctionCode lambda:AddPermission lambda:CreateFunction lambda:InvokeFunction ec2:RunInstances
ec2:ModifyInstanceAttribute ec2:AuthorizeSecurityGroupIngress ec2:CreateVpcEndpoint ec2:DeleteFlowLogs
ec2:ModifySnapshotAttribute cloudtrail:StopLogging cloudtrail:DeleteTrail config:StopConfigurationRecorder
guardduty:DeleteDetector organizations:LeaveOrganization secretsmanager:GetSecretValue ssm:GetParameter ssm:SendCommand
dynamodb:DeleteTable dynamodb:Scan rds:ModifyDBSnapshotAttribute sns:SetTopicAttributes sqs:SetQueueAttributes
ecr:SetRepositoryPolicy logs:DeleteLogGroup`

// The same rules for both programs: over the policies that tfguard has read, and over
// the texts in the plan, parsed once for all rules.
const (
	ourRules = `package tfguard.bench

import data.tfguard.lib.statements
`
	ourRule = `
deny_%d contains sprintf("%%s grants %[2]s on everything", [s.policy.address]) if {
	some s in statements.allowing({"identity", "resource"}, "%[2]s")
	"*" in s.statement.Resource
}
`
	theirRules = `package main

statements contains {"address": change.address, "statement": statement} if {
	some change in input.resource_changes
	some statement in list(json.unmarshal(change.change.after.policy).Statement)
}

list(x) := x if is_array(x)

list(x) := [x] if not is_array(x)

covers(statement, action) if {
	some pattern in list(statement.Action)
	glob.match(lower(pattern), null, lower(action))
}
`
	theirRule = `
deny_%d contains sprintf("%%s grants %[2]s on everything", [s.address]) if {
	some s in statements
	s.statement.Effect == "Allow"
	covers(s.statement, "%[2]s")
	"*" in list(s.statement.Resource)
}
`
)

// BenchmarkGuardrails is a check of a plan of 10,000 resources without rules, with
// fifty, and, where it is installed, conftest with fifty of the same meaning: the CPU
// time of the process, and the most memory that it held.
func BenchmarkGuardrails(b *testing.B) {
	dir := b.TempDir()
	write := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			b.Fatal(err)
		}
		return path
	}
	var ours, theirs strings.Builder
	ours.WriteString(ourRules)
	theirs.WriteString(theirRules)
	for i, action := range strings.Fields(fifty) {
		fmt.Fprintf(&ours, ourRule, i+1, action)
		fmt.Fprintf(&theirs, theirRule, i+1, action)
	}
	plan := write("plan.json", bigPlan(b, 2500))
	our, their := write("ours.rego", []byte(ours.String())), write("theirs.rego", []byte(theirs.String()))
	var said []string
	b.Run("none", func(b *testing.B) { measure(b, "tfguard", "check", "-o", "json", plan) })
	b.Run("tfguard", func(b *testing.B) {
		var r struct {
			Findings []struct{ Rule, Message string }
		}
		readJSON(b, measure(b, "tfguard", "check", "-o", "json", "-p", our, plan), &r)
		said = nil
		for _, f := range r.Findings {
			if strings.HasPrefix(f.Rule, "tfguard.bench.") {
				said = append(said, f.Message)
			}
		}
		if len(said) == 0 {
			b.Error("no rule found anything")
		}
	})
	b.Run("conftest", func(b *testing.B) {
		program, err := findConftest()
		if err != nil {
			b.Skip(err)
		}
		var files []struct{ Failures []struct{ Msg string } }
		readJSON(b, measure(b, program, "test", "-o", "json", "-p", their, plan), &files)
		var same []string
		for _, f := range files[0].Failures {
			same = append(same, f.Msg)
		}
		slices.Sort(same)
		if slices.Sort(said); !slices.Equal(said, same) {
			b.Errorf("tfguard says %d things and conftest %d", len(said), len(same))
		}
	})
}

func readJSON(b *testing.B, text []byte, into any) {
	b.Helper()
	if err := json.Unmarshal(text, into); err != nil {
		b.Fatal(err)
	}
}

// measure runs a program, and returns what it wrote last.
func measure(b *testing.B, program string, args ...string) (out []byte) {
	b.Helper()
	var cpu, memory float64
	for b.Loop() {
		cmd := exec.Command(program, args...)
		out, _ = cmd.Output() // what it found makes its exit code
		if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() > 1 {
			b.Fatalf("%s does not run: %v", program, cmd.ProcessState)
		}
		cpu += (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()
		if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
			memory = max(memory, float64(usage.Maxrss)/1024)
		}
	}
	b.ReportMetric(cpu/float64(b.N), "cpu-s/op")
	b.ReportMetric(memory, "peak-MiB")
	return out
}
