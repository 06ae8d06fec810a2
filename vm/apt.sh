# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # the caller sets suites and apt_dir
# Packages of other suites, through an apt state of our own: nothing of the system's apt is
# changed, and its mirror and proxy settings apply. Sourced after lib.sh.
#   $suites   archive suites to look in
#   $apt_dir  where the state is kept

# repository LABEL: base URI of the system's own mirror for that part of the archive.
repository() {
	local uri
	# shellcheck disable=SC2016 # apt's own substitution
	uri=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' \
		'Origin: Debian' "Label: $1" | head -n 1)
	printf '%s' "$uri"
}

# A source list and an apt state of our own; the system's proxy settings still apply.
write_apt_config() {
	local suite label uri
	mkdir -p "$apt_dir/lists/partial" "$apt_dir/archives/partial" "$apt_dir/empty"
	: >"$apt_dir/status"
	# apt tells labels only of lists it has: a fresh image has none.
	[ -n "$(repository Debian)" ] || as_root apt-get -q update >&2
	for suite in $suites; do
		label=Debian
		case $suite in *-security) label=Debian-Security ;; esac
		uri=$(repository "$label")
		[ -n "$uri" ] || continue
		printf 'deb [arch=amd64 signed-by=%s] %s %s main\n' \
			/usr/share/keyrings/debian-archive-keyring.gpg "$uri" "$suite"
	done >"$apt_dir/sources.list"
	[ -s "$apt_dir/sources.list" ] || die "apt on this system knows no Debian mirror"
}

private() {
	local tool=$1
	shift
	"$tool" -o Dir::State::lists="$apt_dir/lists" -o Dir::State::status="$apt_dir/status" \
		-o Dir::Cache="$apt_dir" -o Dir::Cache::archives="$apt_dir/archives" \
		-o Dir::Etc::sourcelist="$apt_dir/sources.list" -o Dir::Etc::sourceparts="$apt_dir/empty" \
		-o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts="$apt_dir/empty" \
		-o APT::Architecture=amd64 -o APT::Architectures=amd64 -o APT::Sandbox::User=root \
		-o Acquire::Languages=none -o Acquire::Retries=3 "$@"
}

update() {
	write_apt_config
	private apt-get -q --error-on=any update >&2
}

# dependencies PACKAGE PATTERN: the packages that PACKAGE depends on and that match.
dependencies() {
	private apt-cache depends "$1" | sed -n "s/^ *Depends: \($2\)\$/\1/p"
}

# dependency PACKAGE PATTERN: the first of them.
dependency() { dependencies "$@" | head -n 1; }

# closure PACKAGE: it and all that an empty system would need for it.
closure() {
	private apt-get -s --no-install-recommends install "$1" | awk '$1 == "Inst" { print $2 }'
}

version_of() {
	private apt-cache show --no-all-versions "$1" | sed -n 's/^Version: //p'
}

# download_into DIR PACKAGE...: unpacks them there.
download_into() {
	local dir=$1 deb
	shift
	mkdir -p "$dir/debs"
	(cd "$dir/debs" && private apt-get download "$@" >&2) || return 1
	for deb in "$dir"/debs/*.deb; do
		dpkg-deb -x "$deb" "$dir"
	done
	rm -rf "$dir/debs"
}
