package terraform

import (
	"bytes"
	"testing"

	"github.com/tfguard/tfguard/fixtures"
)

// BenchmarkReadPlanFile reads a binary plan, its state and its configuration.
func BenchmarkReadPlanFile(b *testing.B) {
	content := fixtures.Read(b, "terraform/modules-nested/tfplan")
	b.SetBytes(int64(len(content)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ReadPlanFile(b.Context(), bytes.NewReader(content), int64(len(content)), "tfplan", Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
