package hazard

import "github.com/tfguard/tfguard/engine/source"

// The rules about waivers. Whoever applies waivers makes their findings.
var (
	// WaiverExpired is a waiver whose time is over.
	WaiverExpired = &Rule{
		ID: "waiver-expired", Title: "A waiver has expired", Severity: source.Warning,
		Rationale:   "A waiver holds for a time, so that somebody judges again whether its reason still does. From its day on the findings count.",
		Remediation: "Mend what it waived, or give it a new day and a reason that holds today.",
	}
	// WaiverUnused is a waiver that no finding needs.
	WaiverUnused = &Rule{
		ID: "waiver-unused", Title: "A waiver matches no finding", Severity: source.Warning,
		Rationale:   "A waiver that nothing needs waives what comes next, which nobody has judged; or its rule or address is misspelt.",
		Remediation: "Take the waiver away, or correct its rule and address.",
	}
)
