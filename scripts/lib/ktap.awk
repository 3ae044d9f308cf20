# SPDX-License-Identifier: GPL-2.0
#
# Read a KTAP stream of programs with nested results, print "PASSED FAILED
# SKIPPED", and name on stderr what failed. Results that a plan promises and
# that are not there are failures: a test that dies early must not read as a pass.

function failure(what) {
	print "not ok: " what >"/dev/stderr"
	failed++
}

# "ok 3 name # SKIP why" without result and number.
function name_of(line) {
	sub(/^ *(not )?ok [0-9]+ *(- )?/, "", line)
	return line
}

/^1\.\.[0-9]+/ { plan = substr($1, 4) + 0; planned = 1 }
/^  1\.\.[0-9]+/ { inner_plan = substr($1, 4) + 0; inner_planned = 1 }

/^  (ok|not ok) / {
	inner++
	if ($0 ~ /^  not ok /) {
		inner_failed++
		failure(name_of($0))
	} else if ($0 ~ /# SKIP/) {
		skipped++
	} else {
		passed++
	}
}

/^(ok|not ok) / {
	outer++
	if (!inner_planned && $0 ~ /# SKIP/)
		skipped++
	else if (!inner_planned)
		failure(name_of($0) ": no results")
	else if (inner != inner_plan)
		failure(name_of($0) ": " inner_plan " results planned, " inner + 0 " given")
	else if ($0 ~ /^not ok / && !inner_failed)
		failure(name_of($0))
	inner = inner_plan = inner_planned = inner_failed = 0
}

END {
	if (!planned || !plan)
		failure("no test was run")
	else if (outer != plan)
		failure(plan " programs planned, " outer + 0 " ended")
	print passed + 0, failed + 0, skipped + 0
}
