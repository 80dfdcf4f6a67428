/* cpus.c - see cpus.h. */
#include "sim/cpus.h"

#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH 4096

static unsigned least(unsigned a, unsigned b)       /* of which 0 is no limit */
{
    return a == 0 || (b != 0 && b < a) ? b : a;
}

/* One processor for each whole period, but at least one. */
static unsigned of_quota(double quota, double period)
{
    if (!(quota > 0 && period > 0))
        return 0;
    return quota < period ? 1 : quota / period < 65536 ? (unsigned)(quota / period) : 0;
}

/* The first word of `folder/name` as a number, and the second; 0 where there is none ("max", "-1"
 * and no file are no limit). */
static unsigned read_quota(const char *folder, const char *name, double *quota, double *period)
{
    char path[PATH + 64], words[64] = "";
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *in = fopen(path, "r");
    if (!in)
        return 0;
    char *got = fgets(words, sizeof words, in);
    fclose(in);
    return got ? (unsigned)(sscanf(words, "%lf %lf", quota, period) > 0) : 0;
}

static unsigned of_folder(const char *folder, bool second)
{
    double quota = 0, period = 0, none;
    if (second)
        read_quota(folder, "cpu.max", &quota, &period);
    else if (read_quota(folder, "cpu.cfs_quota_us", &quota, &none))
        read_quota(folder, "cpu.cfs_period_us", &period, &none);
    return of_quota(quota, period);
}

/* That of the group and of all above it, up to where they are mounted.  In a container the group
 * may have another name outside; what is mounted is then its own. */
static unsigned of_group(const char *mount, const char *group, bool second)
{
    char folder[PATH];
    unsigned cpus = 0;
    int n = snprintf(folder, sizeof folder, "%s%s", mount, group);
    if (n < 0 || (size_t)n >= sizeof folder)
        return of_folder(mount, second);
    while (strlen(folder) > strlen(mount)) {
        cpus = least(cpus, of_folder(folder, second));
        *strrchr(folder, '/') = '\0';
    }
    return least(cpus, of_folder(mount, second));
}

static bool has_word(const char *list, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = list; (at = strstr(at, word)) != NULL; at++)
        if ((at == list || at[-1] == ',') && (at[length] == ',' || at[length] == '\0'))
            return true;
    return false;
}

/* "4:cpu,cpuacct:/group", or of version 2 "0::/group". */
static unsigned of_line(const char *root, char *line)
{
    char mount[PATH / 2];
    char *controllers = strchr(line, ':'), *group = controllers ? strchr(controllers + 1, ':') : NULL;
    if (!group)
        return 0;
    *group++ = '\0';
    controllers++;
    group[strcspn(group, "\n")] = '\0';
    if (*controllers != '\0' && !has_word(controllers, "cpu"))
        return 0;
    snprintf(mount, sizeof mount, "%s/sys/fs/cgroup%s", root, *controllers ? "/cpu" : "");
    return of_group(mount, group, *controllers == '\0');
}

unsigned cpus_of_groups(const char *root)
{
    char path[PATH], line[PATH];
    unsigned cpus = 0;
    snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
    FILE *in = fopen(path, "r");
    while (in && fgets(line, sizeof line, in))
        cpus = least(cpus, of_line(root, line));
    if (in)
        fclose(in);
    return cpus;
}

static unsigned of_scheduler(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 ? (unsigned)CPU_COUNT(&set) : 0;
}

static unsigned of_slurm(void)
{
    const char *text = getenv("SLURM_CPUS_PER_TASK");
    char *end;
    unsigned long n = text ? strtoul(text, &end, 10) : 0;
    return text && *end == '\0' && n <= 65536 ? (unsigned)n : 0;
}

unsigned cpus_allowed(void)
{
    unsigned cpus = least(of_scheduler(), least(cpus_of_groups(""), of_slurm()));
    return cpus > 0 ? cpus : 1;
}
