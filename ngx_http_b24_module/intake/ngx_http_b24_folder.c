
/*
 * The queue's folder: what "nginx -t" can tell of it, and how a start or a
 * reload makes it and hands it to the workers.
 */


#include "ngx_http_b24_module.h"


static ngx_int_t ngx_http_b24_folder_kind(ngx_conf_t *cf,
    ngx_http_b24_main_conf_t *bmcf, ngx_file_info_t *fi);
static ngx_int_t ngx_http_b24_folder_above(ngx_conf_t *cf,
    ngx_http_b24_main_conf_t *bmcf);
static int ngx_http_b24_folder_open(ngx_str_t *path);
static ngx_uint_t ngx_http_b24_folder_foreign(int folder, ngx_str_t *name);
static ngx_uint_t ngx_http_b24_folder_ours(char *name);
static void ngx_http_b24_folder_give(ngx_cycle_t *cycle, int folder,
    ngx_str_t *path, ngx_uid_t user);
static void ngx_http_b24_folder_file(ngx_cycle_t *cycle, int folder,
    ngx_str_t *path, char *name, ngx_uid_t user);


/*
 * A path that cannot be meant is refused here, where "nginx -t" sees it too and
 * a reload goes on with the old configuration.  Nothing is made.
 */

ngx_int_t
ngx_http_b24_queue_check(ngx_conf_t *cf, ngx_http_b24_main_conf_t *bmcf)
{
    int              folder;
    u_char           buf[NAME_MAX];
    ngx_str_t        name;
    ngx_file_info_t  fi;

    if (ngx_link_info(bmcf->queue.data, &fi) == NGX_FILE_ERROR) {

        if (ngx_errno == NGX_ENOENT || ngx_errno == NGX_ENOTDIR) {
            return ngx_http_b24_folder_above(cf, bmcf);
        }

        /* the master may be allowed more, or the disk come back */

        return NGX_OK;
    }

    if (ngx_http_b24_folder_kind(cf, bmcf, &fi) != NGX_OK) {
        return NGX_ERROR;
    }

    folder = ngx_http_b24_folder_open(&bmcf->queue);
    if (folder == -1) {
        return NGX_OK;
    }

    name.data = buf;

    if (ngx_http_b24_folder_foreign(folder, &name)) {
        ngx_http_b24_conf_error(cf->log, &bmcf->queue_place,
                                "\"b24_queue\" needs a folder of its own, "
                                "which the workers get, but \"%V\" holds "
                                "\"%V\": give a new or an empty one",
                                &bmcf->queue, &name);
        (void) close(folder);
        return NGX_ERROR;
    }

    (void) close(folder);

    return NGX_OK;
}


/* fi is of the name itself: a link would have to be followed by the master */

static ngx_int_t
ngx_http_b24_folder_kind(ngx_conf_t *cf, ngx_http_b24_main_conf_t *bmcf,
    ngx_file_info_t *fi)
{
    if (ngx_is_dir(fi)) {
        return NGX_OK;
    }

    if (ngx_is_link(fi)
        && ngx_file_info(bmcf->queue.data, fi) != NGX_FILE_ERROR
        && ngx_is_dir(fi))
    {
        ngx_http_b24_conf_error(cf->log, &bmcf->queue_place,
                                "\"b24_queue\" needs a folder, but \"%V\" is "
                                "a link to one: give the path of that folder",
                                &bmcf->queue);
        return NGX_ERROR;
    }

    ngx_http_b24_conf_error(cf->log, &bmcf->queue_place,
                            "\"b24_queue\" needs a folder, but \"%V\" is "
                            "none: give another path", &bmcf->queue);

    return NGX_ERROR;
}


static ngx_int_t
ngx_http_b24_folder_above(ngx_conf_t *cf, ngx_http_b24_main_conf_t *bmcf)
{
    size_t            len;
    u_char           *above;
    ngx_file_info_t   fi;

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

    ngx_http_b24_conf_error(cf->log, &bmcf->queue_place,
                            "\"b24_queue\" cannot make the folder \"%V\": "
                            "make the folder above it first", &bmcf->queue);

    return NGX_ERROR;
}


/*
 * In the master, before the workers exist, never under -t: makes the folder
 * and hands it, and what an earlier run left in it, to the worker user.  A disk
 * that refuses does not stop nginx (on a reload the master itself would end):
 * the shop comes first, orders wait in memory until the folder is there.
 *
 * What the master gives away as root must be the queue's, whatever a worker's
 * user may have put there meanwhile: no link is followed, and files are named
 * by the open folder.
 */

void
ngx_http_b24_queue_folder(ngx_cycle_t *cycle, ngx_http_b24_main_conf_t *bmcf)
{
    int               folder;
    u_char            buf[NAME_MAX];
    ngx_str_t         name;
    ngx_core_conf_t  *ccf;

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

    folder = ngx_http_b24_folder_open(&bmcf->queue);
    if (folder == -1) {
        ngx_log_error(NGX_LOG_ALERT, cycle->log, ngx_errno,
                      "b24: cannot open the queue folder \"%V\", it is not "
                      "given to the workers", &bmcf->queue);
        return;
    }

    name.data = buf;

    if (ngx_http_b24_folder_foreign(folder, &name)) {
        ngx_log_error(NGX_LOG_ALERT, cycle->log, 0,
                      "b24: the queue folder \"%V\" holds \"%V\", it is not "
                      "given to the workers", &bmcf->queue, &name);

    } else {
        ngx_http_b24_folder_give(cycle, folder, &bmcf->queue, ccf->user);
    }

    (void) close(folder);
}


static int
ngx_http_b24_folder_open(ngx_str_t *path)
{
    return open((char *) path->data,
                O_RDONLY|O_DIRECTORY|O_NOFOLLOW|O_CLOEXEC);
}


/*
 * Whether the folder holds what is not the queue's; name.data, of NAME_MAX
 * bytes, gets its name, fit for a log.  What cannot be read holds nothing.
 */

static ngx_uint_t
ngx_http_b24_folder_foreign(int folder, ngx_str_t *name)
{
    int             copy;
    DIR            *dir;
    size_t          i;
    struct dirent  *de;

    copy = fcntl(folder, F_DUPFD_CLOEXEC, 0);
    if (copy == -1) {
        return 0;
    }

    dir = fdopendir(copy);
    if (dir == NULL) {
        (void) close(copy);
        return 0;
    }

    do {
        de = readdir(dir);
    } while (de && ngx_http_b24_folder_ours(de->d_name));

    if (de) {
        name->len = ngx_min(ngx_strlen(de->d_name), NAME_MAX);

        for (i = 0; i < name->len; i++) {
            name->data[i] = (u_char) de->d_name[i];

            if (name->data[i] < ' ' || name->data[i] == 0x7f) {
                name->data[i] = '?';
            }
        }
    }

    (void) closedir(dir);

    return de != NULL;
}


/* SQLite's files, what an operator sets aside, and that of a file system */

static ngx_uint_t
ngx_http_b24_folder_ours(char *name)
{
    return ngx_strcmp(name, ".") == 0
           || ngx_strcmp(name, "..") == 0
           || ngx_strcmp(name, "lost+found") == 0
           || ngx_strncmp(name, "queue.db", 8) == 0
           || ngx_strncmp(name, "courier.", 8) == 0;
}


static void
ngx_http_b24_folder_give(ngx_cycle_t *cycle, int folder, ngx_str_t *path,
    ngx_uid_t user)
{
    ngx_uint_t       i, open;
    ngx_file_info_t  fi;

    static char  *files[] = {
        "queue.db", "queue.db-wal", "queue.db-shm", "courier.lock",
        "courier.sock"
    };

    /*
     * Nothing is written where nothing is wrong: the disk may be read-only.  A
     * folder that is the user's already is only closed to others.
     */

    open = 1;

    if (ngx_fd_info(folder, &fi) != NGX_FILE_ERROR) {
        open = fi.st_uid != user || (fi.st_mode & 07077);
    }

    if (open
        && (fchown(folder, user, (gid_t) -1) == -1
            || fchmod(folder, 0700) == -1))
    {
        ngx_log_error(NGX_LOG_ALERT, cycle->log, ngx_errno,
                      "b24: cannot give \"%V\" to the user %d, mode 0700",
                      path, user);
    }

    for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        ngx_http_b24_folder_file(cycle, folder, path, files[i], user);
    }
}


static void
ngx_http_b24_folder_file(ngx_cycle_t *cycle, int folder, ngx_str_t *path,
    char *name, ngx_uid_t user)
{
    ngx_fd_t         fd;
    ngx_file_info_t  fi;

    fd = openat(folder, name, O_PATH|O_NOFOLLOW|O_CLOEXEC);
    if (fd == NGX_INVALID_FILE) {
        return;
    }

    if (ngx_fd_info(fd, &fi) == NGX_FILE_ERROR || fi.st_uid == user
        || ngx_is_dir(&fi))
    {
        goto done;
    }

    if (fi.st_nlink != 1) {

        /* a file from elsewhere that somebody wants to own */

        ngx_log_error(NGX_LOG_ALERT, cycle->log, 0,
                      "b24: \"%V/%s\" has other names, too: it is not given "
                      "to the workers", path, name);
        goto done;
    }

    if (fchownat(fd, "", user, (gid_t) -1, AT_EMPTY_PATH) == -1) {
        ngx_log_error(NGX_LOG_ALERT, cycle->log, ngx_errno,
                      "b24: cannot give \"%V/%s\" to the user %d",
                      path, name, user);
    }

done:

    (void) close(fd);
}
