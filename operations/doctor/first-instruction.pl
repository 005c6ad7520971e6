# The first instruction of a pod: tries connections, and prints one line for each result.
#   perl -e PROGRAM denied|allowed SECONDS CONNECT TCP/10.0.0.1/443 UDP/10.0.0.2/53 ...
# CONNECT is the text of connect.pl. Each printed line has a word, a connection and its result:
#   denied: prints `first` lines at the start. If a connection is open, tries again until all are
#     closed, for at most SECONDS, and then prints `last` lines.
#   allowed: tries until the first connection is open, for at most SECONDS, and then prints `last`
#     lines. `metadata` lines have the HTTP status of the EC2 instance metadata service (IMDS).
# The script needs only Perl's core modules, which Debian's images contain.
use strict;
use warnings;
use IO::Socket::INET;

my ($role, $seconds, $connect, @doors) = @ARGV;
my $until = time + $seconds;
$| = 1;

sub try_all {
    my ($patience) = @_;
    open my $output, "-|", $^X, "-e", $connect, $patience, @doors or die "perl: $!";
    my %seen = map { split } <$output>;
    close $output;
    return %seen;
}

sub show {
    my ($word, %seen) = @_;
    print "$word $_ ", $seen{$_} // "time-out", "\n" for @doors;
}

# Prints the status of an HTTP response, but not its body, which may contain credentials.
sub status {
    my ($name, $request) = @_;
    my $socket = IO::Socket::INET->new(
        PeerAddr => "169.254.169.254", PeerPort => 80, Proto => "tcp", Timeout => 2);
    my $status = "no-answer";
    if (defined $socket) {
        print $socket "$request\r\nHost: 169.254.169.254\r\nConnection: close\r\n\r\n";
        my $readable = "";
        vec($readable, $socket->fileno, 1) = 1;
        if (select($readable, undef, undef, 2)) {
            my $line = <$socket> // "";
            $status = $1 if $line =~ m{^HTTP/\S+ (\d+)};
        }
    }
    print "metadata $name $status\n";
}

my %seen = try_all(2);
if ($role eq "denied") {
    show("first", %seen);
    exit 0 unless grep { $_ eq "open" } values %seen;
    while (time < $until and grep { $_ eq "open" } values %seen) {
        sleep 1;
        %seen = try_all(1);
    }
    show("last", %seen);
}
else {
    while (time < $until and ($seen{ $doors[0] } // "") ne "open") {
        sleep 1;
        %seen = try_all(1);
    }
    show("last", %seen);
    status("without-token", "GET /latest/meta-data/ HTTP/1.1");
    # With a hop limit of 1, the answer with the token does not reach a pod.
    status("token",
        "PUT /latest/api/token HTTP/1.1\r\nX-aws-ec2-metadata-token-ttl-seconds: 60\r\nContent-Length: 0");
}
