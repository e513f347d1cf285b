package cloudformation

import (
	"encoding/json"
	"errors"
	"strings"

	"github.com/awslabs/goformation/v7/cloudformation/cloudtrail"
	"github.com/awslabs/goformation/v7/cloudformation/events"
	"github.com/awslabs/goformation/v7/cloudformation/iam"
	"github.com/awslabs/goformation/v7/cloudformation/kms"
	"github.com/awslabs/goformation/v7/cloudformation/lambda"
	"github.com/awslabs/goformation/v7/cloudformation/organizations"
	"github.com/awslabs/goformation/v7/cloudformation/s3"
	"github.com/awslabs/goformation/v7/cloudformation/secretsmanager"
	"github.com/awslabs/goformation/v7/cloudformation/sns"
	"github.com/awslabs/goformation/v7/cloudformation/sqs"

	"github.com/tfguard/tfguard/engine/source"
)

// wiring are the properties beside policies that say what a policy is attached to.
var wiring = map[string][]string{
	roleType:                        {"ManagedPolicyArns", "PermissionsBoundary"},
	userType:                        {"ManagedPolicyArns", "PermissionsBoundary", "Groups"},
	groupType:                       {"ManagedPolicyArns"},
	managedType:                     {"Roles", "Users", "Groups"},
	"AWS::IAM::Policy":              {"Roles", "Users", "Groups"},
	"AWS::IAM::RolePolicy":          {"RoleName"},
	"AWS::IAM::UserPolicy":          {"UserName"},
	"AWS::IAM::GroupPolicy":         {"GroupName"},
	"AWS::IAM::UserToGroupAddition": {"Users", "GroupName"},
	"AWS::S3::Bucket":               {"PublicAccessBlockConfiguration"},
	"AWS::CloudTrail::Trail":        {"S3BucketName"},
	"AWS::Organizations::Policy":    {"TargetIds"},
	"AWS::SSO::PermissionSet":       {"ManagedPolicies", "PermissionsBoundary", "CustomerManagedPolicyReferences"},
}

// needed are the properties of a type that the inventory is made of, with the
// arguments of permissions among them.
func needed(typ string) map[string]bool {
	out := map[string]bool{}
	for _, c := range carriersOf[typ] {
		name, _, _ := strings.Cut(c.path, ".")
		out[strings.TrimSuffix(name, "[]")] = true
		out[c.target] = true
	}
	for _, name := range wiring[typ] {
		out[name] = true
	}
	paths := []string{keyPaths[typ]}
	for _, rule := range volumeKeys {
		if rule.typ == typ {
			paths = append(paths, rule.path)
		}
	}
	for _, path := range paths {
		name, _, _ := strings.Cut(path, ".")
		out[strings.TrimSuffix(name, "[]")] = true
	}
	for i := range permissionRules {
		if rule := &permissionRules[i]; rule.typ == typ {
			out[rule.target], out[rule.actions] = true, true
		}
	}
	return out
}

// reduced are the properties that are needed. Those of other resources are looked
// at only where a name is asked for.
func (r *resource) reduced() *source.Node {
	if r.properties.Kind != source.Object {
		return r.properties
	}
	names := needed(r.typ)
	out := &source.Node{Kind: source.Object, Range: r.properties.Range}
	for _, m := range r.properties.Members {
		if names[m.Name] || strings.HasPrefix(m.Name, "Fn::") {
			out.Members = append(out.Members, m)
		}
	}
	return out
}

// shapes are the types that the shape of a resource is checked against.
var shapes = map[string]func() any{
	roleType:                              func() any { return new(iam.Role) },
	userType:                              func() any { return new(iam.User) },
	groupType:                             func() any { return new(iam.Group) },
	managedType:                           func() any { return new(iam.ManagedPolicy) },
	"AWS::IAM::Policy":                    func() any { return new(iam.Policy) },
	"AWS::IAM::RolePolicy":                func() any { return new(iam.RolePolicy) },
	"AWS::IAM::UserPolicy":                func() any { return new(iam.UserPolicy) },
	"AWS::IAM::GroupPolicy":               func() any { return new(iam.GroupPolicy) },
	"AWS::IAM::UserToGroupAddition":       func() any { return new(iam.UserToGroupAddition) },
	"AWS::S3::BucketPolicy":               func() any { return new(s3.BucketPolicy) },
	"AWS::S3::AccessPoint":                func() any { return new(s3.AccessPoint) },
	"AWS::SQS::QueuePolicy":               func() any { return new(sqs.QueuePolicy) },
	"AWS::SNS::TopicPolicy":               func() any { return new(sns.TopicPolicy) },
	"AWS::KMS::Key":                       func() any { return new(kms.Key) },
	"AWS::KMS::ReplicaKey":                func() any { return new(kms.ReplicaKey) },
	"AWS::SecretsManager::ResourcePolicy": func() any { return new(secretsmanager.ResourcePolicy) },
	"AWS::Organizations::Policy":          func() any { return new(organizations.Policy) },
	"AWS::Lambda::Permission":             func() any { return new(lambda.Permission) },
	"AWS::Lambda::LayerVersionPermission": func() any { return new(lambda.LayerVersionPermission) },
	"AWS::Events::EventBusPolicy":         func() any { return new(events.EventBusPolicy) },
	"AWS::CloudTrail::Trail":              func() any { return new(cloudtrail.Trail) },
}

// check holds the properties that matter against the types that the CloudFormation
// resource specification gives them, with what is not known filled in.
func (r *resource) check() {
	shape := shapes[r.typ]
	if shape == nil {
		return
	}
	for _, v := range r.variants {
		text, err := json.Marshal(map[string]any{"Type": r.typ, "Properties": r.plain(v.value, "")})
		if err != nil {
			return
		}
		var wrong *json.UnmarshalTypeError
		switch err := json.Unmarshal(text, shape()); {
		case err == nil:
			continue
		case errors.As(err, &wrong):
			path := strings.TrimPrefix(wrong.Field, "Properties.")
			r.Warn(r.place(path), placeOf(v.value, path), "Property of another type",
				"%s is a %s here, and %s takes %s. CloudFormation refuses the template.", path, wrong.Value, r.typ, kindOf(wrong.Type.String()))
		default:
			r.Warn(r.place(""), r.at, "Resource of another shape", "%s is no %s: %v.", r.address, r.typ, err)
		}
		return
	}
}

func kindOf(typ string) string {
	switch {
	case strings.HasPrefix(typ, "[]"):
		return "a list"
	case strings.HasSuffix(typ, "string"):
		return "a string"
	default:
		return "an object"
	}
}

// plain is a value as encoding/json has it. What is not known in shape is left out,
// and of policies, which have a reader of their own, only that they are there.
func (r *resource) plain(n *source.Node, path string) any {
	switch n.Kind {
	case source.Null, source.Unknown:
		return nil
	case source.List:
		out := []any{}
		for _, item := range n.Items {
			if v := r.plain(item, path+"[]"); v != nil {
				out = append(out, v)
			}
		}
		return out
	case source.Object:
		out := map[string]any{}
		for _, m := range n.Members {
			at := strings.TrimPrefix(path+"."+m.Name, ".")
			if r.isPolicy(at) {
				out[m.Name] = map[string]any{}
			} else if v := r.plain(m.Value, at); v != nil {
				out[m.Name] = v
			}
		}
		return out
	default:
		return n.Text.String()
	}
}

func (r *resource) isPolicy(path string) bool {
	for _, c := range carriersOf[r.typ] {
		if c.path == path {
			return true
		}
	}
	return false
}

// placeOf is the place of the property at a path, as far as the path leads.
func placeOf(n *source.Node, path string) source.Range {
	for name := range strings.SplitSeq(path, ".") {
		next := member(n, name)
		if next == nil {
			break
		}
		n = next
	}
	return n.Range
}
