
/*
 * The queue's folder: what "nginx -t" can tell of it, and how a start or a
 * reload makes it and hands it to the workers.
 */


#include "ngx_http_b24_module.h"


static void ngx_http_b24_chown(ngx_cycle_t *cycle, u_char *path,
    ngx_uid_t user);


/*
 * A path that cannot be meant is refused here, where "nginx -t" sees it too and
 * a reload goes on with the old configuration.  Nothing is made.
 */

ngx_int_t
ngx_http_b24_queue_check(ngx_conf_t *cf, ngx_http_b24_main_conf_t *bmcf)
{
    size_t            len;
    u_char           *above;
    ngx_file_info_t   fi;

    if (ngx_file_info(bmcf->queue.data, &fi) != NGX_FILE_ERROR) {

        if (!ngx_is_dir(&fi)) {
            goto none;
        }

        return NGX_OK;
    }

    if (ngx_errno != NGX_ENOENT && ngx_errno != NGX_ENOTDIR) {

        /* the master may be allowed more, or the disk come back */

        return NGX_OK;
    }

    if (ngx_link_info(bmcf->queue.data, &fi) != NGX_FILE_ERROR) {

        /* it leads nowhere */

        goto none;
    }

    for (len = bmcf->queue.len; len > 1; len--) {
        if (bmcf->queue.data[len - 1] == '/') {
            break;
        }
    }

    above = ngx_pnalloc(cf->temp_pool, len + 1);
    if (above == NULL) {
        return NGX_ERROR;
    }

    ngx_cpystrn(above, bmcf->queue.data, len + 1);

    if (ngx_file_info(above, &fi) == NGX_FILE_ERROR) {

        if (ngx_errno != NGX_ENOENT && ngx_errno != NGX_ENOTDIR) {
            return NGX_OK;
        }

    } else if (ngx_is_dir(&fi)) {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                  "\"b24_queue\" cannot make the folder \"%V\": make the "
                  "folder above it first", &bmcf->queue);

    return NGX_ERROR;

none:

    ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                  "\"b24_queue\" needs a folder, but \"%V\" is none",
                  &bmcf->queue);

    return NGX_ERROR;
}


/*
 * In the master, before the workers exist, never under -t: makes the folder
 * and hands it, and what an earlier run left in it, to the worker user.  A disk
 * that refuses does not stop nginx (on a reload the master itself would end):
 * the shop comes first, orders wait in memory until the folder is there.
 */

void
ngx_http_b24_queue_folder(ngx_cycle_t *cycle, ngx_http_b24_main_conf_t *bmcf)
{
    u_char            path[NGX_MAX_PATH];
    ngx_uint_t        i;
    ngx_core_conf_t  *ccf;

    static char  *files[] = {
        "", "/queue.db", "/queue.db-wal", "/queue.db-shm", "/courier.lock",
        "/courier.sock"
    };

    ccf = (ngx_core_conf_t *) ngx_get_conf(cycle->conf_ctx, ngx_core_module);

    if (ngx_create_dir(bmcf->queue.data, 0700) == NGX_FILE_ERROR
        && ngx_errno != NGX_EEXIST)
    {
        ngx_log_error(NGX_LOG_ALERT, cycle->log, ngx_errno,
                      "b24: cannot make the queue folder \"%V\": orders are "
                      "held in memory until it is there", &bmcf->queue);
        return;
    }

    if (geteuid() != 0 || ccf->user == (ngx_uid_t) NGX_CONF_UNSET_UINT) {
        return;
    }

    for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {

        if (bmcf->queue.len + ngx_strlen(files[i]) >= NGX_MAX_PATH) {
            break;
        }

        ngx_sprintf(path, "%V%s%Z", &bmcf->queue, files[i]);
        ngx_http_b24_chown(cycle, path, ccf->user);
    }
}


/* lchown(): a link put there by somebody else is not followed */

static void
ngx_http_b24_chown(ngx_cycle_t *cycle, u_char *path, ngx_uid_t user)
{
    ngx_file_info_t  fi;

    if (lstat((char *) path, &fi) == -1 || fi.st_uid == user) {
        return;
    }

    if (lchown((char *) path, user, (gid_t) -1) == -1) {
        ngx_log_error(NGX_LOG_ALERT, cycle->log, ngx_errno,
                      "b24: lchown(\"%s\", %d) failed", path, user);
    }
}
