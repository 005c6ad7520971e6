# Tries to open connections, all at the same time. Prints one line for each connection: the
# connection and its result.
#   perl connect.pl SECONDS TCP/10.0.0.1/5432 UDP/10.0.0.2/53 ...
# Results: open (the host answered), refused (the host does not listen on the port), silent (there
# was no answer to a datagram), time-out and other words (the host was not reached).
# The script needs only Perl's core modules, which Debian's images contain.
use strict;
use warnings;
use IO::Socket::INET;

# A DNS query for the root name servers. Every DNS server answers this query, at least with a
# refusal.
my $dns_question = pack "n6 C n2", 1, 0x0100, 1, 0, 0, 0, 0, 2, 1;

sub word {
    my ($error) = @_;
    return "refused"  if $error =~ /refused/i;
    return "time-out" if $error =~ /timed out|timeout|in progress/i;
    return lc($error) =~ s/[^a-z]+/-/gr;
}

sub tcp {
    my ($address, $port, $seconds) = @_;
    my $socket = IO::Socket::INET->new(
        PeerAddr => $address, PeerPort => $port, Proto => "tcp", Timeout => $seconds);
    return defined $socket ? "open" : word("$!");
}

sub udp {
    my ($address, $port, $seconds) = @_;
    my $socket = IO::Socket::INET->new(PeerAddr => $address, PeerPort => $port, Proto => "udp")
        or return word("$!");
    # A host reports a closed port at most once a second, and not reliably. So the loop sends the
    # query again every second.
    for (0 .. $seconds) {
        defined $socket->send($dns_question) or return word("$!");
        my $readable = "";
        vec($readable, $socket->fileno, 1) = 1;
        next unless select($readable, undef, undef, 1);
        return defined $socket->recv(my $answer, 512) ? "open" : word("$!");
    }
    return "silent";
}

my ($seconds, @doors) = @ARGV;
$| = 1;
for my $door (@doors) {
    next if fork;
    my ($protocol, $address, $port) = split "/", $door;
    my $seen = $protocol eq "UDP" ? udp($address, $port, $seconds) : tcp($address, $port, $seconds);
    print "$door $seen\n";
    exit 0;
}
1 while wait != -1;
