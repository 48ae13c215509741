/*
 * arch.c - one row for each architecture that libseccomp knows (2.5, and LoongArch of 2.6).
 */
#include "seccomp/arch.h"

#include <linux/audit.h>
#include <linux/elf-em.h>
#include <stddef.h>
#include <string.h>

#define LOONGARCH64        (258U | __AUDIT_ARCH_64BIT | __AUDIT_ARCH_LE) /* since Linux 5.19 */
#define ARCH(name, docker) "SCMP_ARCH_" name, docker

/*
 * x32 is compared with 32 bits as by libseccomp, although its registers have 64: the calls to which
 * a profile attaches conditions take ints.
 */
static const struct seccomp_arch arches[] = {
	{ ARCH("X86_64", "amd64"), AUDIT_ARCH_X86_64, 0, TABLE_X86_64, true, false, 0, 0 },
	{ ARCH("X86", "386"), AUDIT_ARCH_I386, 0, TABLE_X86, false, false, 102, 117 },
	{ ARCH("X32", NULL), AUDIT_ARCH_X86_64, SECCOMP_X32_BIT, TABLE_X32, false, false, 0, 0 },
	{ ARCH("AARCH64", "arm64"), AUDIT_ARCH_AARCH64, 0, TABLE_AARCH64, true, false, 0, 0 },
	{ ARCH("ARM", "arm"), AUDIT_ARCH_ARM, 0, TABLE_ARM, false, false, 0, 0 },
	{ ARCH("RISCV64", "riscv64"), AUDIT_ARCH_RISCV64, 0, TABLE_RISCV64, true, false, 0, 0 },
	{ ARCH("LOONGARCH64", "loong64"), LOONGARCH64, 0, TABLE_LOONGARCH64, true, false, 0, 0 },
	{ ARCH("PPC64LE", "ppc64le"), AUDIT_ARCH_PPC64LE, 0, TABLE_PPC64, true, false, 102, 117 },
	{ ARCH("PPC64", "ppc64"), AUDIT_ARCH_PPC64, 0, TABLE_PPC64, true, true, 102, 117 },
	{ ARCH("PPC", NULL), AUDIT_ARCH_PPC, 0, TABLE_PPC, false, true, 102, 117 },
	{ ARCH("S390X", "s390x"), AUDIT_ARCH_S390X, 0, TABLE_S390X, true, true, 102, 117 },
	{ ARCH("S390", "s390"), AUDIT_ARCH_S390, 0, TABLE_S390, false, true, 102, 117 },
	{ ARCH("MIPSEL64", "mips64le"), AUDIT_ARCH_MIPSEL64, 5000, TABLE_MIPS64, true, false, 0,
	  0 },
	{ ARCH("MIPSEL64N32", NULL), AUDIT_ARCH_MIPSEL64N32, 6000, TABLE_MIPS64N32, false, false, 0,
	  0 },
	{ ARCH("MIPSEL", "mipsle"), AUDIT_ARCH_MIPSEL, 4000, TABLE_MIPS, false, false, 102, 117 },
	{ ARCH("MIPS64", "mips64"), AUDIT_ARCH_MIPS64, 5000, TABLE_MIPS64, true, true, 0, 0 },
	{ ARCH("MIPS64N32", NULL), AUDIT_ARCH_MIPS64N32, 6000, TABLE_MIPS64N32, false, true, 0, 0 },
	{ ARCH("MIPS", "mips"), AUDIT_ARCH_MIPS, 4000, TABLE_MIPS, false, true, 102, 117 },
	{ ARCH("PARISC", NULL), AUDIT_ARCH_PARISC, 0, TABLE_PARISC, false, true, 0, 0 },
	{ ARCH("PARISC64", NULL), AUDIT_ARCH_PARISC64, 0, TABLE_PARISC64, true, true, 0, 0 },
};

#if defined(__x86_64__) && defined(__ILP32__)
#define NATIVE "SCMP_ARCH_X32"
#elif defined(__x86_64__)
#define NATIVE "SCMP_ARCH_X86_64"
#elif defined(__i386__)
#define NATIVE "SCMP_ARCH_X86"
#elif defined(__aarch64__)
#define NATIVE "SCMP_ARCH_AARCH64"
#elif defined(__arm__)
#define NATIVE "SCMP_ARCH_ARM"
#elif defined(__riscv) && __riscv_xlen == 64
#define NATIVE "SCMP_ARCH_RISCV64"
#elif defined(__loongarch64)
#define NATIVE "SCMP_ARCH_LOONGARCH64"
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
#define NATIVE "SCMP_ARCH_PPC64LE"
#elif defined(__s390x__)
#define NATIVE "SCMP_ARCH_S390X"
#else
#error "say in arch.c how the compiler names this architecture"
#endif

const struct seccomp_arch *arch_at(unsigned int i)
{
	return i < sizeof(arches) / sizeof(arches[0]) ? &arches[i] : NULL;
}

const struct seccomp_arch *arch_find(const char *name)
{
	for (size_t i = 0; i < sizeof(arches) / sizeof(arches[0]); i++)
		if (strcmp(arches[i].name, name) == 0)
			return &arches[i];
	return NULL;
}

const struct seccomp_arch *arch_native(void)
{
	return arch_find(NATIVE);
}
