#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The LAVA job, as far as it can be looked at without a lab; on the machine that builds.

cd "$(dirname "$0")/../../bench/lava" || exit 1
. ../../selftests/tap.sh

# The system's, which the package is for
python() { /usr/bin/python3 -B -; }

job_fits_the_schema_of_lava() {
	python <<-'END'
	import yaml
	from lava_common.schemas import validate
	with open("job.yaml") as file:
	    validate(yaml.safe_load(file), strict=True)
	END
}

job_names_a_definition_that_is_there() {
	python <<-'END'
	import pathlib, yaml
	job = yaml.safe_load(pathlib.Path("job.yaml").read_text())
	tests = [a["test"] for a in job["actions"] if "test" in a]
	roles = set(job["protocols"]["lava-multinode"]["roles"])
	for definition in [d for test in tests for d in test["definitions"]]:
	    node = yaml.safe_load((pathlib.Path("../..") / definition["path"]).read_text())
	    assert set(definition["parameters"]) == set(node["params"]), "parameters differ"
	assert tests and all(set(test["role"]) == roles == {"sender", "receiver"} for test in tests)
	END
}

tap job_fits_the_schema_of_lava job_names_a_definition_that_is_there
