package simulate_test

import (
	"encoding/json"
	"testing"

	"github.com/tfguard/tfguard/engine"
	"github.com/tfguard/tfguard/engine/simulate"
	"github.com/tfguard/tfguard/engine/source"
)

// FuzzSimulate decodes and answers any JSON: it never panics, an answer is JSON, and
// the verdict without reasons is that with them.
func FuzzSimulate(f *testing.F) {
	f.Add([]byte(`{"id":"1","request":{"principal":"arn:aws:iam::111122223333:role/R","action":"s3:GetObject","resource":"arn:aws:s3:::b/k","context":{"aws:CalledVia":["athena.amazonaws.com"]}},"policies":{"identity":[{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"ForAnyValue:StringEquals":{"aws:CalledVia":"athena.amazonaws.com"}}}}]},"want":"allowed"}`))
	f.Add([]byte(`{"request":{"principal":"cloudtrail.amazonaws.com","action":"s3:PutObject","resource":"arn:aws:s3:::b/k"},"policies":{"resource":{"Statement":[{"Effect":"Deny","NotPrincipal":{"AWS":["111122223333"]},"NotAction":"s3:Get*","NotResource":"arn:aws:s3:::b/${aws:username}","Condition":{"NotIpAddressIfExists":{"aws:SourceIp":["::/0"]},"Null":{"a:b":[true]}}}]},"scp":[[]],"rcp":[[]],"boundary":[],"session":[]}}`))
	f.Add([]byte(`{"request":{"principal":"anonymous","action":"kms:Decrypt","resource":"*","context":{"aws:EpochTime":1,"x:y":[]}}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		n, err := source.ParseJSON(text)
		if err != nil {
			return
		}
		c, diags := simulate.Decode(n, nil)
		if diags.HasErrors() || c.Request == nil {
			return
		}
		a := c.Answer()
		if _, err := json.Marshal(a); err != nil {
			t.Fatal(err)
		}
		if v := engine.Decide(c.Policies, c.Request); v != a.Decision {
			t.Errorf("without reasons: %s, with them: %s", v, a.Decision)
		}
	})
}
