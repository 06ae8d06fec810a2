// SPDX-License-Identifier: GPL-2.0
/*
 * A process whose memory a second page table maps, as a virtual machine's
 * monitor has: the guest could store to a lent page past ours, so everything is
 * copied while the machine exists.
 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "sl_variants.h"

FIXTURE(notifier)
{
	struct sl_pair p;
	struct sl_buf b;
	int kvm;
};

FIXTURE_VARIANT(notifier)
{
	SL_AXES;
};

SL_VARIANTS_FEW(notifier);

FIXTURE_SETUP(notifier)
{
	ASSERT_EQ(0, sl_pair(&self->p, variant->family));
	ASSERT_EQ(0, sl_nonblock(self->p.tx, variant->nonblock));
	ASSERT_EQ(0, sl_buf_map(&self->b, variant->len, variant->offset, 1));
	if (system("modprobe -q kvm_amd || modprobe -q kvm_intel"))
		SKIP(return, "no KVM on this processor");
	self->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (self->kvm < 0)
		SKIP(return, "no /dev/kvm");
}

FIXTURE_TEARDOWN(notifier)
{
	close(self->kvm);
	sl_pair_close(&self->p);
}

TEST_F(notifier, copies_while_registered)
{
	size_t whole = sl_whole(self->b.data, self->b.len);
	struct sl_counters before;
	int vm;

	ASSERT_EQ(self->b.len,
		  send(self->p.tx, self->b.data, self->b.len, 0));
	EXPECT_LENT(self->p.tx, whole);

	vm = ioctl(self->kvm, KVM_CREATE_VM, 0);
	ASSERT_LE(0, vm);
	sl_count(&before);
	ASSERT_EQ(self->b.len,
		  send(self->p.tx, self->b.data, self->b.len, 0));
	EXPECT_LENT(self->p.tx, whole);
	EXPECT_RISE(&before, "FbNotifier");
	ASSERT_EQ(0, close(vm));

	EXPECT_EQ(0, sl_drain(self->p.rx, self->b.len, 1));
	EXPECT_EQ(0, sl_drain(self->p.rx, self->b.len, 1));
}

TEST_HARNESS_MAIN
