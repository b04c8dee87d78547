
/*
 * Included before everything else in the module that the sanitizers are built
 * into: it takes and gives back locks of shared memory by lock_check.c.
 */


#ifndef _LOCK_CHECK_H_INCLUDED_
#define _LOCK_CHECK_H_INCLUDED_


#define ngx_shmtx_lock     lock_check_lock
#define ngx_shmtx_trylock  lock_check_trylock
#define ngx_shmtx_unlock   lock_check_unlock


#endif /* _LOCK_CHECK_H_INCLUDED_ */
