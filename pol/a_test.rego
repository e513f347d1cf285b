package tfguard.a_test

import data.tfguard.a
import data.tfguard.lib.engine

test_deny if {
	a.deny == {"x"} with input as {"plan": {"a": 1}}
}

test_wrong if {
	print("looking")
	a.deny == {"y"} with input as {"plan": {"a": 1}}
}

test_engine if {
	engine.replay({"chain": "c", "action": "a", "principal": "p", "resource": "r"}).verdict == "allowed" with input as {"replays": [{"chain": "c", "action": "a", "principal": "p", "principalAddress": "", "standIn": "", "resource": "r", "resourceAddress": "", "verdict": "allowed"}]}
}

test_evaluate if {
	tfguard.evaluate({"request": {"principal": "anonymous", "action": "s3:GetObject", "resource": "arn:aws:s3:::b/k"}}).decision == "implicitDeny"
}

todo_test_later if {
	false
}
