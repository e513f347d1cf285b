package awsref_test

import (
	"io/fs"
	"reflect"
	"regexp"
	"slices"
	"testing"

	"github.com/tfguard/tfguard/engine/awsref"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/fixtures"
)

var managedPolicyARN = regexp.MustCompile(`arn:aws[a-z-]*:iam::aws:policy/([\w+=,.@/-]+)`)

// attached returns the AWS managed policies that fixtures name, with a file that does.
func attached(t *testing.T) map[string]string {
	t.Helper()
	names := map[string]string{}
	err := fs.WalkDir(fixtures.FS, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		for _, m := range managedPolicyARN.FindAllSubmatch(fixtures.Read(t, name), -1) {
			names[string(m[1])] = name
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(names) == 0 {
		t.Fatal("no fixture names an AWS managed policy")
	}
	return names
}

func TestManagedPolicyCoversFixtures(t *testing.T) {
	for name, file := range attached(t) {
		if _, ok := awsref.ManagedPolicy(name); !ok {
			t.Errorf("%s (in %s) is not in the set", name, file)
		}
	}
}

func TestManagedPoliciesAreIdentityPolicies(t *testing.T) {
	seen := 0
	for name := range awsref.ManagedPolicies() {
		seen++
		text, ok := awsref.ManagedPolicy(name)
		if !ok {
			t.Errorf("%s: not in the set", name)
			continue
		}
		doc, diags := policy.Parse(text, name, policy.Identity, source.Origin{Address: name})
		for _, d := range diags {
			if d.Severity == source.Error {
				t.Errorf("%s: %v", name, d)
			}
		}
		if len(doc.Statements) == 0 {
			t.Errorf("%s: no statements", name)
		}
	}
	if seen != 1594 {
		t.Errorf("%d managed policies", seen)
	}
}

func TestManagedPolicyName(t *testing.T) {
	plain, ok := awsref.ManagedPolicy("ViewOnlyAccess")
	if !ok {
		t.Fatal("ViewOnlyAccess is not in the set")
	}
	withPath, ok := awsref.ManagedPolicy("job-function/ViewOnlyAccess")
	if !ok || string(withPath) != string(plain) {
		t.Error("a path changes the answer")
	}
	for _, name := range []string{"", "NoSuchPolicy", "viewonlyaccess", "NOTICE", ".."} {
		if text, ok := awsref.ManagedPolicy(name); ok || text != nil {
			t.Errorf("ManagedPolicy(%q) = %q, %v", name, text, ok)
		}
		if path, ok := awsref.ManagedPolicyPath(name); ok || path != "" {
			t.Errorf("ManagedPolicyPath(%q) = %q, %v", name, path, ok)
		}
	}
	for name, want := range map[string]string{
		"AdministratorAccess":         "/",
		"ViewOnlyAccess":              "/job-function/",
		"AWSLambdaBasicExecutionRole": "/service-role/",
		"AWSSupportServiceRolePolicy": "/aws-service-role/",
	} {
		if path, ok := awsref.ManagedPolicyPath(name); !ok || path != want {
			t.Errorf("ManagedPolicyPath(%q) = %q, %v, want %q", name, path, ok, want)
		}
	}
}

func TestManagedPolicyText(t *testing.T) {
	const want = `{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": "*",
      "Resource": "*"
    }
  ]
}
`
	got, _ := awsref.ManagedPolicy("AdministratorAccess")
	if string(got) != want {
		t.Errorf("AdministratorAccess is %s", got)
	}
	clear(got) // the text is the caller's
	if again, _ := awsref.ManagedPolicy("AdministratorAccess"); string(again) != want {
		t.Error("what a caller does to a document changes the next")
	}
}

func TestCounts(t *testing.T) {
	var services, actions, names, types, keys, controlled, principals int
	for s := range awsref.Services() {
		services++
		if s.RCP {
			controlled++
		}
		for a := range s.Actions() {
			actions++
			if len(a.AccessLevels) == 0 {
				t.Errorf("%s:%s has no access level", s.Prefix, a.Name)
			}
		}
		for range s.ActionNames() {
			names++
		}
		for range s.ResourceTypes() {
			types++
		}
		for range s.ConditionKeys() {
			keys++
		}
	}
	for range awsref.ServicePrincipals() {
		principals++
	}
	got := []int{services, actions, names, types, keys, controlled, principals}
	if want := []int{456, 22091, 22091, 2334, 2578, 62, 590}; !slices.Equal(got, want) {
		t.Errorf("services, actions, names, resource types, keys, RCP services, principals: %d, want %d", got, want)
	}
}

// Typed by hand from the service authorization reference.
func TestLookupAction(t *testing.T) {
	type action struct {
		name, as   string
		levels     []awsref.AccessLevel
		types      map[string]bool // with required
		keys       []string        // some
		dependents []string
	}
	for _, want := range []action{
		{"s3:GetObject", "GetObject", []awsref.AccessLevel{awsref.Read},
			map[string]bool{"object": false, "accesspointobject": false}, []string{"s3:ExistingObjectTag/<key>"}, nil},
		{"S3:listallmybuckets", "ListAllMyBuckets", []awsref.AccessLevel{awsref.List}, nil, []string{"s3:authType"}, nil},
		{"s3:PutBucketPolicy", "PutBucketPolicy", []awsref.AccessLevel{awsref.Write, awsref.PermissionsManagement},
			map[string]bool{"bucket": true}, nil, nil},
		{"ec2:RunInstances", "RunInstances", []awsref.AccessLevel{awsref.Write}, map[string]bool{
			"capacity-reservation": false, "elastic-gpu": false, "elastic-inference": false, "group": false, "image": true,
			"instance": true, "key-pair": false, "launch-template": false, "license-configuration": false,
			"network-interface": true, "placement-group": false, "secondary-interface": false, "secondary-subnet": false,
			"security-group": true, "snapshot": false, "spot-instances-request": false, "subnet": true, "volume": false,
		}, []string{"ec2:Region"}, []string{"ec2:CreateTags", "iam:PassRole", "ssm:GetParameters"}},
		{"ec2:DescribeInstances", "DescribeInstances", []awsref.AccessLevel{awsref.List}, nil, []string{"ec2:Region"}, nil},
		{"kms:Decrypt", "Decrypt", []awsref.AccessLevel{awsref.Write}, map[string]bool{"key": true},
			[]string{"kms:ViaService", "kms:CallerAccount", "kms:EncryptionContext:${EncryptionContextKey}"}, nil},
		{"sts:AssumeRole", "AssumeRole", []awsref.AccessLevel{awsref.Write}, map[string]bool{"role": true},
			[]string{"sts:ExternalId", "sts:RoleSessionName", "sts:SourceIdentity", "aws:TagKeys"}, nil},
		{"athena:StartQueryExecution", "StartQueryExecution", []awsref.AccessLevel{awsref.Write},
			map[string]bool{"workgroup": true}, nil, nil},
		{"IAM:PASSROLE", "PassRole", []awsref.AccessLevel{awsref.Write}, map[string]bool{"role": true},
			[]string{"iam:AssociatedResourceArn", "iam:PassedToService"}, nil},
		{"lambda:CreateFunction", "CreateFunction", []awsref.AccessLevel{awsref.Write}, map[string]bool{"function": true},
			[]string{"lambda:VpcIds"}, []string{"iam:PassRole", "lambda:PassCapacityProvider"}},
		{"lambda:InvokeFunction", "InvokeFunction", []awsref.AccessLevel{awsref.Write}, map[string]bool{"function": true},
			[]string{"lambda:InvokedViaFunctionUrl"}, nil},
		{"secretsmanager:GetSecretValue", "GetSecretValue", []awsref.AccessLevel{awsref.Read}, map[string]bool{"Secret": true},
			[]string{"secretsmanager:SecretId", "secretsmanager:VersionStage"}, nil},
		{"dynamodb:GetItem", "GetItem", []awsref.AccessLevel{awsref.Read}, map[string]bool{"table": true},
			[]string{"dynamodb:LeadingKeys"}, nil},
		{"sqs:SendMessage", "SendMessage", []awsref.AccessLevel{awsref.Write}, map[string]bool{"queue": true}, nil, nil},
		{"organizations:ListAccounts", "ListAccounts", []awsref.AccessLevel{awsref.List}, nil, nil, nil},
	} {
		got, ok := awsref.LookupAction(want.name)
		if !ok {
			t.Errorf("%s: unknown", want.name)
			continue
		}
		types := map[string]bool{}
		for _, use := range got.ResourceTypes {
			types[use.Name] = use.Required
		}
		if want.types == nil {
			want.types = map[string]bool{}
		}
		for _, key := range want.keys {
			if !slices.Contains(got.ConditionKeys, key) {
				t.Errorf("%s: no condition key %s among %q", want.name, key, got.ConditionKeys)
			}
		}
		seen := action{want.name, got.Name, got.AccessLevels, types, want.keys, got.DependentActions}
		if !reflect.DeepEqual(seen, want) {
			t.Errorf("got  %v\nwant %v", seen, want)
		}
	}
	for _, name := range []string{"", ":", "s3", "s3:", "s3:NoSuchAction", "s3:GetObject ", "nosuch:GetObject", "GetObject", "s3:Get*"} {
		if got, ok := awsref.LookupAction(name); ok {
			t.Errorf("%q is %v", name, got)
		}
	}
}

func TestResourceUse(t *testing.T) {
	run, _ := awsref.LookupAction("ec2:RunInstances")
	for _, use := range run.ResourceTypes {
		switch use.Name {
		case "image":
			if !slices.Contains(use.DependentActions, "iam:PassRole") || !slices.Contains(use.ConditionKeys, "ec2:Owner") {
				t.Errorf("image is used as %+v", use)
			}
		case "group":
			if use.DependentActions != nil || use.ConditionKeys != nil {
				t.Errorf("group is used as %+v", use)
			}
		}
	}
}

func TestResourceType(t *testing.T) {
	for _, c := range []struct {
		service, name string
		want          awsref.ResourceType
	}{
		{"s3", "BUCKET", awsref.ResourceType{Name: "bucket", ARNs: []string{"arn:${Partition}:s3:::${BucketName}"}}},
		{"kms", "key", awsref.ResourceType{Name: "key", ARNs: []string{"arn:${Partition}:kms:${Region}:${Account}:key/${KeyId}"}}},
		{"apigateway", "stage", awsref.ResourceType{Name: "Stage", ARNs: []string{
			"arn:${Partition}:apigateway:${Region}::/apis/${ApiId}/stages/${StageName}",
			"arn:${Partition}:apigateway:${Region}::/restapis/${RestApiId}/stages/${StageName}",
		}}},
	} {
		s, ok := awsref.LookupService(c.service)
		if !ok {
			t.Fatalf("no service %s", c.service)
		}
		got, ok := s.ResourceType(c.name)
		if !ok || len(got.ConditionKeys) == 0 {
			t.Errorf("%s %s: known %v, condition keys %q", c.service, c.name, ok, got.ConditionKeys)
		}
		got.ConditionKeys = nil
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s %s is %+v, want %+v", c.service, c.name, got, c.want)
		}
		if got, ok := s.ResourceType("no such type"); ok {
			t.Errorf("no such type of %s is %v", c.service, got)
		}
	}
}

func TestConditionKeys(t *testing.T) {
	for _, c := range []struct {
		name, want string
		of         awsref.KeyType
	}{
		{"s3:prefix", "s3:prefix", awsref.String},
		{"S3:Prefix", "s3:prefix", awsref.String},
		{"iam:passedtoservice", "iam:PassedToService", awsref.String},
		{"kms:EncryptionContext:team", "kms:EncryptionContext:${EncryptionContextKey}", awsref.String},
		{"s3:ExistingObjectTag/a", "s3:ExistingObjectTag/<key>", awsref.String},
		{"s3:ExistingObjectTag/<key>", "s3:ExistingObjectTag/<key>", awsref.String},
		{"secretsmanager:ResourceTag/team", "secretsmanager:ResourceTag/tag-key", awsref.String},
		{"glacier:ResourceTag/team", "glacier:ResourceTag/", awsref.String},
		{"codebuild:secondarySources/a.location", "codebuild:secondarySources/${sourceIdentifier}.location", awsref.String},
		// The longer of two templates.
		{"events:Metadata/x/Matcher", "events:Metadata/${MetadataKey}/Matcher", awsref.String},
		// Only sts lists them.
		{"saml:aud", "saml:aud", awsref.String},
		{"token.actions.acme.ghe.com:ref", "token.actions.${Domain}.ghe.com:ref", awsref.String},
		{"token.actions.githubusercontent.com/acme:actor", "token.actions.githubusercontent.com/${SubPath}:actor", awsref.String},
	} {
		got, ok := awsref.LookupConditionKey(c.name)
		if !ok || got.Name != c.want || got.Type != c.of {
			t.Errorf("%s is %+v, %v, want %s, %s", c.name, got, ok, c.want, c.of)
		}
	}
	for _, name := range []string{
		"", "s3", "s3:", "s3:nosuchkey", "s3:ExistingObjectTag/", "s3:ExistingObjectTag", "kms:EncryptionContext:",
		"aws:TagKeys", "token.actions..ghe.com:ref", "codebuild:secondarySources/.location",
	} {
		if got, ok := awsref.LookupConditionKey(name); ok {
			t.Errorf("%q is %+v", name, got)
		}
	}
	ec2, _ := awsref.LookupService("EC2")
	if got, ok := ec2.ConditionKey("aws:resourcetag/Team"); !ok || got.Name != "aws:ResourceTag/${TagKey}" {
		t.Errorf("ec2 lists aws:ResourceTag as %+v, %v", got, ok)
	}
	if got, ok := ec2.ConditionKey("aws:tagkeys"); !ok || !got.Type.Multivalued() {
		t.Errorf("ec2 lists aws:TagKeys as %+v, %v", got, ok)
	}
	if awsref.String.Multivalued() {
		t.Error("one String is several")
	}
}

func TestServicePrincipals(t *testing.T) {
	for name, want := range map[string]awsref.ServicePrincipal{
		"lambda.amazonaws.com":               {Name: "lambda.amazonaws.com", Confirmed: true, CalledVia: true},
		"EC2.amazonaws.com":                  {Name: "ec2.amazonaws.com", Confirmed: true},
		"a2c.amazonaws.com":                  {Name: "a2c.amazonaws.com"},
		"codedeploy.eu-west-1.amazonaws.com": {Name: "codedeploy.${aws:region}.amazonaws.com", Confirmed: true},
	} {
		if got, ok := awsref.LookupServicePrincipal(name); !ok || got != want {
			t.Errorf("%s is %+v, %v, want %+v", name, got, ok, want)
		}
	}
	for _, name := range []string{"", "lambda", "nosuch.amazonaws.com", "lambda.amazonaws.com.cn"} {
		if got, ok := awsref.LookupServicePrincipal(name); ok {
			t.Errorf("%q is %+v", name, got)
		}
	}
}

func TestRCPService(t *testing.T) {
	for name, want := range map[string]bool{
		"s3": true, "S3": true, "sts": true, "kms": true, "sqs": true, "secretsmanager": true, "iam": false, "a2c": false, "": false, "nosuch": false,
	} {
		if got := awsref.RCPService(name); got != want {
			t.Errorf("RCPService(%q) = %v", name, got)
		}
	}
}

func TestIteratorsStop(t *testing.T) {
	first := func(seen *[]string, name string) bool {
		*seen = append(*seen, name)
		return false
	}
	var seen []string
	awsref.Services()(func(s awsref.Service) bool { return first(&seen, s.Prefix) })
	awsref.ManagedPolicies()(func(name string) bool { return first(&seen, name) })
	awsref.ServicePrincipals()(func(p awsref.ServicePrincipal) bool { return first(&seen, p.Name) })
	if want := []string{"a2c", "AccessAnalyzerServiceRolePolicy", "a2c.amazonaws.com"}; !slices.Equal(seen, want) {
		t.Errorf("the first are %q, want %q", seen, want)
	}
}

func BenchmarkManagedPolicy(b *testing.B) {
	for _, name := range []string{"AdministratorAccess", "AmazonS3ReadOnlyAccess", "ReadOnlyAccess"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, ok := awsref.ManagedPolicy(name); !ok {
					b.Fatal("unknown")
				}
			}
		})
	}
}

func BenchmarkLookupAction(b *testing.B) {
	for _, name := range []string{"s3:GetObject", "ec2:RunInstances", "kms:NoSuchAction"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				awsref.LookupAction(name)
			}
		})
	}
}

// BenchmarkFirstLookup is what a run pays that asks a few things: as nothing is kept
// from one question to the next, the first costs what all cost.
func BenchmarkFirstLookup(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		for _, name := range []string{
			"s3:GetObject", "ec2:RunInstances", "kms:Decrypt", "sts:AssumeRole",
			"iam:PassRole", "lambda:InvokeFunction", "athena:StartQueryExecution", "sqs:SendMessage",
		} {
			awsref.LookupAction(name)
		}
		awsref.LookupConditionKey("token.actions.acme.ghe.com:ref")
		awsref.LookupServicePrincipal("lambda.amazonaws.com")
		awsref.ManagedPolicy("AdministratorAccess")
	}
}
