# Runs one command and does not let it outlive the process that holds the other end of standard input.
#
# $1    signal that asks the command to stop
# $2    seconds until it is killed
# $3    directory to remove once it was stopped, or ''
# rest  the command
#
# Standard input: a line `stop` stops the command, a line `kill` kills it. The end of the pipe (its owner closed it or
# died) stops it too, and then it is killed after 5 seconds at the latest. TERM and INT stop it too. The first line on
# standard output is its process id, the exit code is its exit code.

signal=$1 grace=$2 directory=$3
shift 3
child='' stopping='' timer=''

stop() {
    interrupted=yes
    [ -n "$stopping" ] || stopping=stop
    [ -n "$child" ] && [ -z "$timer" ] || return 0
    kill -s "$signal" "$child"
    setsid sh -c 'sleep "$1"; kill -s USR1 "$2"' timer "$grace" $$ 3<&- &
    timer=$!
}

end() {
    interrupted=yes
    stopping=kill
    [ -z "$child" ] || kill -s KILL "$child"
}

# Whoever waited for a long farewell is gone.
orphaned() {
    [ "${grace%.*}" -lt 5 ] || grace=5
    stop
}

trap stop TERM INT
trap orphaned USR2
trap end USR1
exec 3<&0 </dev/null

# A session of its own: what it leaves behind can be ended as one process group.
# A shell starts background commands with INT and QUIT ignored; PostgreSQL and .NET want INT.
# No shell passes on a variable with a hyphen in its name; perl gives those their names back.
setsid env --default-signal=INT,QUIT perl -e '
    $| = 1;
    print "$$\n";
    delete $ENV{PERL_BADLANG};
    for (grep { /^GUARDED_VARIABLE_/ } keys %ENV) {
        my ($name, $value) = split /=/, delete $ENV{$_}, 2;
        $ENV{$name} = $value;
    }
    exec { $ARGV[0] } @ARGV or do { print STDERR "$ARGV[0]: $!\n"; exit 127 };
' -- "$@" 3<&- &
child=$!

# Tells the guard what the pipe says; if the guard itself was killed, it stops the command alone.
(
    while read -r word; do
        case $word in
            kill) kill -s USR1 $$ || kill -s KILL "$child" ;;
            *) kill -s TERM $$ ;;
        esac
    done
    kill -s USR2 $$ || kill -s "$signal" "$child"
) <&3 3<&- >/dev/null 2>&1 &
pipe=$!

# From here on the command alone holds the output, so that it ends with the command.
exec 3<&- >/dev/null 2>&1

case $stopping in
    stop) stop ;;
    kill) end ;;
esac

# A trapped signal ends `wait` early, and then its answer says nothing about the command.
interrupted=yes
while [ -n "$interrupted" ]; do
    interrupted=''
    wait "$child"
    code=$?
done

kill -s KILL -- "-$child"
kill -s KILL "$pipe"
[ -z "$timer" ] || kill -s KILL -- "$timer" "-$timer"

# With the directory goes its parent, when it holds nothing else.
if [ -n "$stopping" ] && [ -n "$directory" ]; then
    rm -rf -- "$directory" && rmdir -- "${directory%/*}"
fi

exit "$code"
