#!/usr/bin/env bash
# Puts the platform into a Kubernetes cluster: `deploy/deploy.sh --help`. docs/deployment.md tells when to use what.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
overlays=$here/kubernetes/overlays
components=$here/kubernetes/components
namespace=openhands

usage() {
    cat <<USAGE
Usage: deploy/deploy.sh <command> [options]

  render OVERLAY   Prints the manifests.
  apply OVERLAY    Checks them and the secrets they need, applies everything but the services, waits for the migrations, then
                   applies the services and waits until they are ready.
  secrets          Makes the secrets that are missing, with random values; what is there is left alone.
  appoint N        Says that PostgreSQL N alone may take writes: the first step of a failover.
  operator ARGS    Runs the operators' command (docs/operations.md) here, on the database there: operator keys create --name ops.
                   Options of this script come before the word.

OVERLAY is $(names "$overlays"), or the folder of a kustomization of yours.

  --registry=R     where the images are, with everything before their names: registry.example.org/acme/openhands
  --tag=T          their tag
  --host=H         the host name of the Ingress
  --component=C    adds $(names "$components"); may be repeated
  --context=K      the context of kubectl; its current one when left out
USAGE
}

names() { find "$1" -mindepth 1 -maxdepth 1 -type d -not -name services -printf '%f\n' | sort | paste -sd, | sed 's/,/, /g'; }

wrong() {
    echo "deploy.sh: $*" >&2
    exit 2
}
fail() {
    echo "deploy.sh: $*" >&2
    exit 1
}

registry='' tag='' host='' chosen=() kubectl=(kubectl) words=()
read_options() {
    while [ $# -gt 0 ]; do
        case $1 in
            --help | -h) usage && exit 0 ;;
            --registry=*) registry=${1#*=} ;;
            --tag=*) tag=${1#*=} ;;
            --host=*) host=${1#*=} ;;
            --component=*) chosen+=("${1#*=}") ;;
            --context=*) kubectl+=("--context=${1#*=}") ;;
            -*) wrong "there is no option $1; --help lists them." ;;
            operator)
                words+=("$@")
                break
                ;;
            *) words+=("$1") ;;
        esac
        shift
    done
    local name='[a-z0-9]+([._-]+[a-z0-9]+)*' label='[a-z0-9]([a-z0-9-]*[a-z0-9])?'
    [[ -z $registry || $registry =~ ^$name(:[0-9]+)?(/$name)*$ ]] ||
        wrong "--registry=$registry names no place of images: lower-case letters and digits with slashes between, such as registry.example.org/acme/openhands, without a tag."
    [[ -z $tag || $tag =~ ^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$ ]] || wrong "--tag=$tag is no tag of an image: letters, digits, dots, hyphens and underscores, such as 1.2.3."
    [[ -z $host || $host =~ ^$label(\.$label)+$ ]] || wrong "--host=$host is no host name, such as openhands.example.org."
    local component
    for component in "${chosen[@]}"; do
        [ -d "$components/$component" ] || wrong "there is no component $component; there are $(names "$components")."
    done
}

# The overlay with what the options say on top, in a folder that is gone afterwards.
render() { # overlay
    command -v kubectl >/dev/null || fail "kubectl is not on this machine; install version 1.27 or newer."
    local overlay=$overlays/$1
    [ -d "$overlay" ] || overlay=$1
    [ -f "$overlay/kustomization.yaml" ] || wrong "there is no overlay $1; there are $(names "$overlays"), or name a folder with a kustomization.yaml."
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    {
        printf 'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nnamespace: %s\n' "$namespace"
        printf 'resources: ["%s"]\n' "$(realpath --relative-to="$work" "$overlay")"
        local component image
        [ "${#chosen[@]}" -eq 0 ] || echo "components:"
        for component in "${chosen[@]}"; do printf -- '- %s\n' "$(realpath --relative-to="$work" "$components/$component")"; done
        echo "images:"
        for image in api worker; do
            printf -- '- name: registry.example.com/%s\n  newName: %s/%s\n' "$image" "${registry:-registry.example.com}" "$image"
            [ -z "$tag" ] || printf '  newTag: "%s"\n' "$tag"
        done
        if [ -n "$host" ]; then
            cat <<PATCH
patches:
- target: {kind: Ingress, name: openhands}
  patch: |
    - {op: replace, path: /spec/rules/0/host, value: $host}
    - {op: replace, path: /spec/tls/0/hosts/0, value: $host}
PATCH
        fi
    } >"$work/kustomization.yaml"
    kubectl kustomize "$work" >"$work/rendered" || fail "the overlay cannot be rendered, for the reason above."
}

# Every secret and key that a container cannot do without.
wanted_secrets() { # rendered
    awk '
        /secretKeyRef:/ { key = name = ""; optional = 0; inside = 1; indent = match($0, /[^ ]/); next }
        inside && match($0, /[^ ]/) <= indent { if (!optional) print name, key; inside = 0 }
        inside && $1 == "key:" { key = $2 }
        inside && $1 == "name:" { name = $2 }
        inside && $1 == "optional:" { optional = ($2 == "true") }
    ' "$1" | sort -u
}

check_secrets() { # rendered
    local missing=() name key
    while read -r name key; do
        "${kubectl[@]}" --namespace="$namespace" get secret "$name" -o "go-template={{index .data \"$key\"}}" 2>/dev/null | grep -q '^[A-Za-z0-9+/]' ||
            missing+=("$name/$key")
    done < <(wanted_secrets "$1")
    [ "${#missing[@]}" -eq 0 ] ||
        fail "the namespace $namespace lacks these secrets (name/key): ${missing[*]}. Make them with \`deploy/deploy.sh secrets\`, or your own way (docs/deployment.md, Secrets)."
}

check_placeholders() { # rendered
    ! grep -q 'image: registry\.example\.com/' "$1" || fail "the images are still those of registry.example.com: say --registry and --tag, or set images in your kustomization."
    ! grep -q 'openhands\.example\.com' "$1" || fail "the Ingress still says openhands.example.com: say --host, or patch it in your kustomization."
}

documents() { # rendered, awk condition on `kind`
    awk -v RS='---\n' "{ match(\$0, /(^|\n)kind: [A-Za-z]+/); kind = substr(\$0, RSTART, RLENGTH); sub(/.*kind: /, \"\", kind) } $2 { printf \"---\n%s\", \$0 }" "$1"
}

apply() { # overlay
    render "$1"
    check_placeholders "$work/rendered"
    check_secrets "$work/rendered"
    # The template of a Job cannot be changed: the one of the last release goes first.
    "${kubectl[@]}" --namespace="$namespace" delete job migrations --ignore-not-found
    documents "$work/rendered" 'kind != "Deployment"' | "${kubectl[@]}" apply -f -
    "${kubectl[@]}" --namespace="$namespace" wait --for=condition=complete --timeout=30m job/migrations ||
        fail "the migrations did not end well: kubectl --namespace $namespace logs job/migrations. The services of the last release go on."
    documents "$work/rendered" 'kind == "Deployment"' | "${kubectl[@]}" apply -f -
    local deployment
    for deployment in api worker; do
        "${kubectl[@]}" --namespace="$namespace" rollout status "deployment/$deployment" --timeout=15m
    done
}

# Letters and digits, which need no quotes in a connection string, a configuration file or a shell.
random() { LC_ALL=C tr -dc A-Za-z0-9 </dev/urandom | head -c "$1" || true; }

make_secret() { # name, key=length…
    local name=$1 pair manifest
    shift
    if "${kubectl[@]}" --namespace="$namespace" get secret "$name" -o name >/dev/null 2>&1; then
        echo "secret $name is there and left alone"
        return
    fi
    manifest=$(printf 'apiVersion: v1\nkind: Secret\nmetadata: {name: %s, namespace: %s}\nstringData:' "$name" "$namespace")
    for pair in "$@"; do manifest+=$(printf '\n  %s: "%s"' "${pair%=*}" "$(random "${pair#*=}")"); done
    # By standard input: an argument could be seen by everybody on this machine.
    "${kubectl[@]}" create -f - <<<"$manifest"
}

secrets() {
    "${kubectl[@]}" get namespace "$namespace" -o name >/dev/null 2>&1 || "${kubectl[@]}" create namespace "$namespace"
    make_secret openhands-postgres postgres-password=24 app-password=24 system-password=24 replication-password=24
    make_secret openhands-redis password=24
    make_secret openhands-key-ring key=43
    echo "Everything encrypted hangs on openhands-key-ring: keep a copy of it away from the cluster and from the backups."
}

appoint() { # ordinal
    [[ $1 =~ ^[0-9]+$ ]] || wrong "appoint wants the number of a PostgreSQL, such as 1 for postgres-1, not '$1'."
    local members
    members=$("${kubectl[@]}" --namespace="$namespace" get statefulset postgres -o 'jsonpath={.spec.replicas}') || fail "there is no StatefulSet postgres in namespace $namespace."
    [ "$1" -lt "$members" ] || wrong "there is no postgres-$1; there are postgres-0 to postgres-$((members - 1))."
    printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: postgres-topology, namespace: %s}\ndata: {primary: "%s"}\n' "$namespace" "$1" | "${kubectl[@]}" apply -f -
    echo "postgres-$1 is appointed. Next: kubectl --namespace $namespace exec postgres-$1 --container postgres -- sh /scripts/promote.sh"
}

value() { # secret, key
    "${kubectl[@]}" --namespace="$namespace" get secret "$1" -o "go-template={{index .data \"$2\" | base64decode}}" 2>/dev/null || fail "there is no secret $1 in namespace $namespace."
}

# A port of this machine that leads to the PostgreSQL that takes writes, for as long as this script runs.
forward() {
    local target primary
    if "${kubectl[@]}" --namespace="$namespace" get service openhands-postgres-rw -o name >/dev/null 2>&1; then
        target=service/openhands-postgres-rw
    else
        primary=$("${kubectl[@]}" --namespace="$namespace" get configmap postgres-topology -o 'jsonpath={.data.primary}' 2>/dev/null || true)
        target=pod/postgres-${primary:-0}
    fi
    : >"$work/forward" # it is read before the command below may have begun
    "${kubectl[@]}" --namespace="$namespace" port-forward "$target" :5432 >"$work/forward" 2>"$work/errors" &
    forwarding=$!
    trap 'kill "$forwarding" 2>/dev/null || true; rm -rf "$work"' EXIT
    port=''
    while [ -z "$port" ]; do
        port=$(sed -nE 's/^Forwarding from 127\.0\.0\.1:([0-9]+) .*/\1/p' "$work/forward")
        [ -n "$port" ] || kill -0 "$forwarding" 2>/dev/null || fail "$target cannot be reached: $(tail -n 1 "$work/errors")"
        [ -n "$port" ] || sleep 0.1
    done
}

login() { echo "Host=127.0.0.1;Port=$port;Username=$1;Password=$(value openhands-postgres "$2");Database=openhands"; } # role, key

# The installation's own connection strings, line by line.
settings() {
    if "${kubectl[@]}" --namespace="$namespace" get secret openhands-connections -o name >/dev/null 2>&1; then
        echo "ConnectionStrings__openhands-admin=$(value openhands-connections admin)"
        echo "ConnectionStrings__openhands=$(value openhands-connections app)"
        echo "ConnectionStrings__openhands-system=$(value openhands-connections system)"
    else
        echo "ConnectionStrings__openhands-admin=$(login postgres postgres-password)"
        echo "ConnectionStrings__openhands=$(login openhands_app app-password)"
        echo "ConnectionStrings__openhands-system=$(login openhands_system system-password)"
    fi
    echo "ConnectionStrings__secrets=$(value openhands-key-ring key)"
}

operate() { # arguments of the operators' command
    command -v dotnet >/dev/null || fail "the operators' command needs the .NET SDK on this machine."
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    "${kubectl[@]}" --namespace="$namespace" get secret openhands-connections -o name >/dev/null 2>&1 || forward
    local given
    given=$(settings)
    # A shell cannot set names with a hyphen, and what `env` is given everybody on this machine can read.
    perl -e 'while (<STDIN>) { chomp; my ($name, $value) = split /=/, $_, 2; $ENV{$name} = $value } exec { $ARGV[0] } @ARGV or die "$!\n"' \
        dotnet run --project "$here/../OpenHands.Cli" -- "$@" <<<"$given"
}

read_options "$@"
set -- "${words[@]}"
case ${1:-} in
    render) [ $# -eq 2 ] || wrong "render wants one overlay." && render "$2" && cat "$work/rendered" ;;
    apply) [ $# -eq 2 ] || wrong "apply wants one overlay." && apply "$2" ;;
    secrets) secrets ;;
    appoint) [ $# -eq 2 ] || wrong "appoint wants one number." && appoint "$2" ;;
    operator) shift && operate "$@" ;;
    '') usage >&2 && exit 2 ;;
    *) wrong "there is no command $1; --help lists them." ;;
esac
