package chain

import (
	"strings"

	"github.com/tfguard/tfguard/engine"
	"github.com/tfguard/tfguard/engine/arn"
	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/request"
	"github.com/tfguard/tfguard/engine/symbol"
)

// A TargetKind says which calls are replayed on a target.
type TargetKind uint8

// The kinds of targets.
const (
	// OtherTarget is replayed for the service principals its policies name.
	OtherTarget TargetKind = iota
	// BucketTarget is an S3 bucket.
	BucketTarget
	// InstanceTarget stands for the EC2 instances that a call would start.
	InstanceTarget
	// StandInTarget stands for what a chain is about and no input defines.
	StandInTarget
	// RoleTarget is a role that somebody may assume.
	RoleTarget
	TableTarget    // of DynamoDB
	QueueTarget    // of SQS
	TopicTarget    // of SNS
	FunctionTarget // of Lambda
	KeyTarget      // of KMS
	SecretTarget   // of Secrets Manager
)

// A kind is what is true of all targets of a kind.
type kind struct {
	// word names the kind, in placeholders and in lists.
	word string
	// resource is the resource type of the Service Authorization Reference.
	resource string
	// actions are the calls replayed on a target.
	actions []string
}

var kinds = map[TargetKind]kind{
	OtherTarget:    {word: "resource"},
	BucketTarget:   {"bucket", "s3/bucket", []string{"s3:ListBucket", "s3:GetObject", "s3:PutObject"}},
	InstanceTarget: {"instance", "ec2/instance", []string{"ec2:RunInstances"}},
	StandInTarget:  {word: "resource"},
	RoleTarget:     {word: "role", resource: "iam/role"},
	TableTarget:    {"table", "dynamodb/table", []string{"dynamodb:GetItem", "dynamodb:PutItem"}},
	QueueTarget:    {"queue", "sqs/queue", []string{"sqs:ReceiveMessage", "sqs:SendMessage"}},
	TopicTarget:    {"topic", "sns/topic", []string{"sns:Publish"}},
	FunctionTarget: {"function", "lambda/function", []string{"lambda:InvokeFunction"}},
	KeyTarget:      {"key", "kms/key", []string{"kms:Decrypt", "kms:GenerateDataKey"}},
	SecretTarget:   {"secret", "secretsmanager/Secret", []string{"secretsmanager:GetSecretValue"}},
}

// KindOf returns the kind of a resource by its type in the words of the Service
// Authorization Reference, such as "s3/bucket".
func KindOf(resourceType string) TargetKind {
	switch k := kindByType[strings.ToLower(resourceType)]; k {
	case InstanceTarget, RoleTarget: // made by the replay itself
		return OtherTarget
	default:
		return k
	}
}

var kindByType = func() map[string]TargetKind {
	m := map[string]TargetKind{}
	for k := range kinds {
		if kinds[k].resource != "" {
			m[strings.ToLower(kinds[k].resource)] = k
		}
	}
	return m
}()

// A Target is a resource that calls are made on.
type Target struct {
	Address string
	Kind    TargetKind
	ARN     symbol.Text
	Account symbol.Text
	Region  symbol.Text
	// Organization of the account.
	Organization request.Organization
	Policies     []policy.Attached
	RCP          []engine.Level
	// Key is the KMS key of a customer that encrypts what the resource holds, empty if
	// none does.
	Key symbol.Text
	// RestrictPublic is the bucket's setting RestrictPublicBuckets.
	RestrictPublic kleene.Truth
	// Tags that requests show of the resource; nil if they are not known.
	Tags map[string]symbol.Text

	name       string      // of a bucket whose name is known
	someObject symbol.Text // anything in it
	standsFor  Resource    // what a StandInTarget stands for

	placeholder bool // stands for any target, in the catalogue
}

// prepare computes what is asked of a target many times.
func (t *Target) prepare() {
	t.someObject = symbol.Concat(t.ARN, symbol.Literal("/"), symbol.Symbol{Name: "key"}.Text())
	if t.Kind != BucketTarget {
		return
	}
	if a, ok := arn.Parse(t.ARN); ok {
		t.name, _ = a[arn.Resource].Literal()
	}
}

// service is the prefix of the actions on a target.
func (t *Target) service() string {
	if prefix, _, ok := strings.Cut(kinds[t.Kind].resource, "/"); ok {
		return prefix
	}
	if a, ok := arn.Parse(t.ARN); ok {
		return a[arn.Service].String()
	}
	return ""
}

// named reports whether a resource of a hop means the target, or something in it.
func (t *Target) named(r Resource) bool {
	if t.Kind == StandInTarget {
		return r == t.standsFor
	}
	rest, found := strings.CutPrefix(string(r), t.ARN.String())
	return string(r) == t.Address || found && (rest == "" || t.Kind == BucketTarget && rest[0] == '/')
}

// standIn reports whether the target stands for what no input defines: every caller
// is replayed on it, whatever its policies grant.
func (t *Target) standIn() bool { return t.Kind == InstanceTarget || t.Kind == StandInTarget }
