package tfguard.a

deny contains "x" if {
	input.plan.a == 1
}

warn contains "never" if {
	input.plan.b == 1
	input.plan.c == 2
}
