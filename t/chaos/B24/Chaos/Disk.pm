package B24::Chaos::Disk;

# How long the disk of a run, and the machine as a whole, let others wait: a
# child writes a little and syncs it, again and again, and notes each time that
# took long.  It knows nothing of nginx.
#
#   my $child = B24::Chaos::Child->start(sub {
#       B24::Chaos::Disk::watch($_[0], $dir);
#   });
#   my @stalls = B24::Chaos::Disk->stalls($dir);    # [from, to], seconds

use strict;
use warnings;

use IO::Handle;
use IO::Select;
use Time::HiRes qw(time);

use constant {
    STEP => 0.05,       # seconds between two of them
    LONG => 0.05,       # seconds: what took less is not noted
};


# Until the parent closes its end.
sub watch {
    my ($parent, $dir) = @_;

    open my $file, '+>', "$dir/disk" or die "cannot write $dir/disk: $!\n";
    open my $out, '>>', "$dir/stalls" or die "cannot write $dir/stalls: $!\n";
    $_->autoflush(1) for $file, $out;

    my $end = IO::Select->new($parent);

    # late wakes count as well: whoever is killed meanwhile could do nothing
    for (my $from = time;; $from = time) {
        return if $end->can_read(STEP);

        sysseek $file, 0, 0;
        syswrite $file, 'x' x 4096;
        $file->sync;

        my $to = time;

        print $out "$from $to\n" if $to - $from > STEP + LONG;
    }

    return;
}


sub stalls {
    my ($class, $dir) = @_;

    open my $in, '<', "$dir/stalls" or return;

    return map { my ($from, $to) = split; [$from + STEP, $to] } <$in>;
}


1;
