package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/tfguard/tfguard/extract"
	"github.com/tfguard/tfguard/extract/cloudformation"
	"github.com/tfguard/tfguard/extract/terraform"
)

// readStacks reads the templates of the stacks that a plan makes, as the nested stacks
// of one template: so each resource has the address of its stack in its own, and a
// parameter that is known only after apply is one of the outer template without a value.
func readStacks(ctx context.Context, stacks []terraform.Stack, account extract.Fact) (*extract.Result, error) {
	type object = map[string]any
	resources, parameters := object{}, object{}
	bodies := map[string]string{}
	for i, s := range stacks {
		values := object{}
		for name, value := range s.Parameters {
			values[name] = value
		}
		for _, name := range s.Late {
			outer := s.Address + ".parameters." + name
			parameters[outer] = object{"Type": "String"}
			values[name] = object{"Ref": outer}
		}
		file := fmt.Sprintf("template_body of stack %d", i+1)
		bodies[file] = s.Template
		resources[s.Address] = object{
			"Type":       "AWS::CloudFormation::Stack",
			"Properties": object{"TemplateURL": file, "Parameters": values},
		}
	}
	outer, err := json.Marshal(object{"Parameters": parameters, "Resources": resources})
	if err != nil {
		return nil, err
	}
	return cloudformation.Read(ctx, bytes.NewReader(outer), "template_body", cloudformation.Options{
		ManagedPolicy: managedPolicy, Account: account,
		ReadFile: func(file string) ([]byte, error) { return []byte(bodies[file]), nil },
	})
}
