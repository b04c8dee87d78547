
/* The same of what concerns a shop: its traffic, its database, calls to it. */


/* back to the shop */
NGX_HTTP_B24_X("there is no b24_site any more: the shop was not told",
    "b24_site больше нет: магазину не сообщено")
NGX_HTTP_B24_X("the rules by which the order came have no \"write\" block: "
    "the shop was left as it is",
    "в правилах, по которым пришёл заказ, нет блока write: магазин оставлен "
    "как есть")
NGX_HTTP_B24_X("if the shop should follow, add \"write\" blocks to its rules",
    "если магазин должен следовать за сделкой, добавьте в его правила блоки "
    "write")
NGX_HTTP_B24_X("another order has come with this number since: the shop may "
    "call that one so",
    "с тех пор пришёл другой заказ с этим номером: магазин может называть так "
    "его")
NGX_HTTP_B24_X("set the status in the shop by hand, then drop the change",
    "поставьте статус в магазине вручную, потом удалите изменение")
NGX_HTTP_B24_X("the order is not in the shop's database any more: the shop "
    "was left as it is",
    "заказа больше нет в базе магазина: магазин оставлен как есть")
NGX_HTTP_B24_X("the status cannot be put into a call to the shop",
    "из статуса не складывается вызов магазина")
NGX_HTTP_B24_X("look at the order on this page and in the shop, then retry or "
    "drop the change",
    "посмотрите заказ на этой странице и в магазине, потом повторите или "
    "удалите изменение")
NGX_HTTP_B24_X("the shop is called",
    "магазину сообщают")
NGX_HTTP_B24_X("the shop said yes to the new status, but its order has not "
    "changed",
    "магазин согласился с новым статусом, но заказ в нём не изменился")
NGX_HTTP_B24_X("the shop has made another status of the one it was told",
    "магазин поставил не тот статус, который ему сообщили")
NGX_HTTP_B24_X("look whether the user of b24_site may set this status in the "
    "shop, and whether somebody has the order open there; then retry, or "
    "drop the change",
    "посмотрите, может ли пользователь из b24_site ставить этот статус и не "
    "открыт ли там заказ у кого-то; потом повторите или удалите изменение")
NGX_HTTP_B24_X("the shop has refused this status before",
    "магазин уже отказался от этого статуса")
NGX_HTTP_B24_X("see in the timeline why, then retry, or drop the change",
    "причина — в истории заказа; потом повторите или удалите изменение")
NGX_HTTP_B24_X("nothing is left to be told to the shop",
    "сообщать магазину больше нечего")
NGX_HTTP_B24_X("the shop has it already",
    "в магазине это уже так")
NGX_HTTP_B24_X("the shop has the status \"*\" now, for the deal is at the "
    "stage \"*\"",
    "в магазине теперь статус «*», потому что сделка на стадии «*»")
NGX_HTTP_B24_X("in the shop it had been changed before that",
    "в магазине его изменили раньше")
NGX_HTTP_B24_X("the deal was moved to \"*\" in the CRM before the shop's own "
    "change: the shop was left as it is",
    "сделку перевели в CRM на «*» раньше, чем изменился заказ в магазине: "
    "магазин оставлен как есть")
NGX_HTTP_B24_X("the deal was moved to another pipeline: its stage \"*\" "
    "stands for no status of the shop",
    "сделку перевели в другую воронку: её стадии «*» не соответствует ни один "
    "статус магазина")
NGX_HTTP_B24_X("look at the order in the shop; what is moved within the "
    "pipeline of b24_category comes there by itself",
    "посмотрите заказ в магазине; то, что переводят внутри воронки из "
    "b24_category, доходит туда само")
NGX_HTTP_B24_X("the stage \"*\" stands for no status of the shop: the shop "
    "was left as it is",
    "стадии «*» не соответствует ни один статус магазина: магазин оставлен "
    "как есть")
NGX_HTTP_B24_X("if it should, add \"b24_stage_back\" with that stage and the "
    "status",
    "если он должен измениться, добавьте b24_stage_back с этой стадией и "
    "статусом")
NGX_HTTP_B24_X("the shop's name cannot be resolved",
    "имя магазина не находится в DNS")
NGX_HTTP_B24_X("Check the host in b24_site, and this server's DNS.",
    "Проверьте адрес магазина в b24_site и DNS этого сервера.")
NGX_HTTP_B24_X("the shop does not accept connections",
    "магазин не принимает соединений")
NGX_HTTP_B24_X("the shop's certificate is not trusted",
    "сертификату магазина нельзя верить")
NGX_HTTP_B24_X("Check the host in b24_site, and that b24_trusted_certificate "
    "holds the shop's CA.",
    "Проверьте адрес в b24_site и что в b24_trusted_certificate есть "
    "удостоверяющий центр магазина.")
NGX_HTTP_B24_X("no TLS connection to the shop",
    "нет соединения TLS с магазином")
NGX_HTTP_B24_X("Check the host in b24_site, and that it speaks TLS 1.2 or "
    "newer.",
    "Проверьте адрес в b24_site и что магазин понимает TLS 1.2 или новее.")
NGX_HTTP_B24_X("the shop did not answer in time",
    "магазин не ответил вовремя")
NGX_HTTP_B24_X("no connection to the shop in time",
    "не удалось вовремя соединиться с магазином")
NGX_HTTP_B24_X("the shop's answer is too large",
    "ответ магазина слишком велик")
NGX_HTTP_B24_X("the connection to the shop broke",
    "соединение с магазином оборвалось")
NGX_HTTP_B24_X("no connection to the shop",
    "нет соединения с магазином")
NGX_HTTP_B24_X("no memory to call the shop",
    "не хватило памяти, чтобы вызвать магазин")

/* the shop's database */
NGX_HTTP_B24_X("from the shop's database",
    "из базы магазина")
NGX_HTTP_B24_X("read from the shop's database",
    "прочитан в базе магазина")
NGX_HTTP_B24_X("found in the shop's database",
    "найден в базе магазина")
NGX_HTTP_B24_X("the shop's number is *",
    "номер в магазине — *")
NGX_HTTP_B24_X("the shop's database knows another record's order by this "
    "number",
    "в базе магазина этот номер у заказа из другой записи")
NGX_HTTP_B24_X("another order is worked on that has this number for its key",
    "сейчас обрабатывается заказ, у которого этот номер служит ключом")
NGX_HTTP_B24_X("the shop's database could not be asked for this order: "
    "nothing that its statement looks for is known of it",
    "базу магазина об этом заказе не спросить: неизвестно ничего из того, что "
    "ищет её запрос")
NGX_HTTP_B24_X("the shop's database could not be asked for the order's "
    "status: nothing that the \"order\" statement looks for is known of it",
    "базу магазина о статусе заказа не спросить: неизвестно ничего из того, "
    "что ищет запрос order")
NGX_HTTP_B24_X("the order's goods are not in the shop's database yet",
    "товаров заказа в базе магазина ещё нет")
NGX_HTTP_B24_X("the shop's database has no goods of the order",
    "товаров заказа в базе магазина нет")
NGX_HTTP_B24_X("the shop's database could not be read: the deal is without "
    "the order's number and has what was captured",
    "база магазина не читается: сделка без номера заказа, в ней то, что "
    "записано")
NGX_HTTP_B24_X("the shop's database could not be read: the deal has what was "
    "captured",
    "база магазина не читается: в сделке то, что записано")
NGX_HTTP_B24_X("the order is not in the shop's database yet",
    "заказа в базе магазина ещё нет")
NGX_HTTP_B24_X("the order was not found in the shop's database: the deal is "
    "without its number and has what was captured",
    "заказ не найден в базе магазина: сделка без его номера, в ней то, что "
    "записано")
NGX_HTTP_B24_X("the order was not found in the shop's database: the deal has "
    "what was captured",
    "заказ не найден в базе магазина: в сделке то, что записано")
NGX_HTTP_B24_X("the order is not in the shop's database",
    "заказа в базе магазина нет")
NGX_HTTP_B24_X("compare the \"order\" statement of the shop's \"database\" "
    "block with the tables; when the shop doesn't have this order either, "
    "drop it",
    "сравните запрос order из блока database с таблицами; если этого заказа "
    "нет и в магазине, удалите его")
NGX_HTTP_B24_X("the order is not in the shop's database, and what was "
    "captured is too little for a deal: no buyer, or neither goods nor a "
    "total",
    "заказа в базе магазина нет, а записанного мало для сделки: нет "
    "покупателя или ни товаров, ни суммы")
NGX_HTTP_B24_X("look for it in the shop: if it is there and has no deal, "
    "retry it, the deal has what was captured; else drop it",
    "поищите его в магазине: если он есть и сделки нет, повторите, в сделке "
    "будет то, что записано; иначе удалите")
NGX_HTTP_B24_X("the deal's number is not in the shop: its \"link\" statement "
    "found no row",
    "номера сделки в магазине нет: запрос link не нашёл строки")
NGX_HTTP_B24_X("for 1C-Bitrix add an order property with the code B24_DEAL_ID "
    "for the type of buyer; else compare the statement with the tables",
    "для 1С-Битрикс добавьте свойство заказа с кодом B24_DEAL_ID для этого "
    "типа плательщика; иначе сравните запрос с таблицами")
NGX_HTTP_B24_X("the order is not in the shop's database any more: the deal's "
    "stage was left alone",
    "заказа больше нет в базе магазина: стадия сделки не изменена")
NGX_HTTP_B24_X("the shop's database cannot be reached*",
    "база магазина недоступна*")
NGX_HTTP_B24_X("look whether it runs and whether b24_database names its host, "
    "port or socket",
    "проверьте, работает ли она и верно ли в b24_database указаны её адрес, "
    "порт или сокет")
NGX_HTTP_B24_X("the shop's database does not answer in time*",
    "база магазина не отвечает вовремя*")
NGX_HTTP_B24_X("look what it is busy with, and whether the columns that the "
    "statements compare have an index",
    "посмотрите, чем она занята и есть ли индекс у столбцов, которые "
    "сравнивают запросы")
NGX_HTTP_B24_X("the shop's database does not take a statement for now*",
    "база магазина сейчас не принимает запрос*")
NGX_HTTP_B24_X("look whether it is read-only (a standby, a failover, a "
    "backup) or full; b24_database must name the server that the shop writes "
    "to",
    "проверьте, не только ли для чтения она (реплика, переключение, копия) и "
    "не заполнена ли; в b24_database должен стоять сервер, в который пишет "
    "магазин")
NGX_HTTP_B24_X("the shop's database refuses access*",
    "база магазина отказывает в доступе*")
NGX_HTTP_B24_X("check user, password, name and ssl of b24_database, and what "
    "this user may do there",
    "проверьте пользователя, пароль, имя и ssl в b24_database и права этого "
    "пользователя")
NGX_HTTP_B24_X("the shop's database refuses a statement*",
    "база магазина не принимает запрос*")
NGX_HTTP_B24_X("compare the statements of the shop's \"database\" block with "
    "the tables",
    "сравните запросы из блока database с таблицами")
NGX_HTTP_B24_X("a statement of \"database\" is refused: *",
    "запрос из блока database отклонён: *")
NGX_HTTP_B24_X("a statement of \"database\" *",
    "запрос из блока database: *")
NGX_HTTP_B24_X("give the columns that it compares one collation (ALTER TABLE "
    "... CONVERT TO CHARACTER SET), or have COLLATE in the statement of an "
    "heir of the shop's rules",
    "дайте столбцам, которые он сравнивает, одно сравнение (ALTER TABLE ... "
    "CONVERT TO CHARACTER SET) или поставьте COLLATE в запрос наследника "
    "правил магазина")
NGX_HTTP_B24_X("the shop's database gives more than an order can have*",
    "база магазина отдаёт больше, чем бывает в заказе*")
NGX_HTTP_B24_X("let the statements of the \"database\" block give one order's "
    "rows",
    "пусть запросы из блока database отдают строки одного заказа")
NGX_HTTP_B24_X("memory is out*",
    "память кончилась*")
NGX_HTTP_B24_X("give the server more memory",
    "дайте серверу больше памяти")
NGX_HTTP_B24_X("the threads for databases are all busy",
    "все потоки для баз заняты")
NGX_HTTP_B24_X("raise max_queue of the thread_pool b24_database",
    "увеличьте max_queue у thread_pool b24_database")

/* what could not be read of an exchange */
NGX_HTTP_B24_X("the request body could not be read: broken JSON",
    "тело запроса не читается: испорченный JSON")
NGX_HTTP_B24_X("the request body could not be read: too many form fields",
    "тело запроса не читается: слишком много полей формы")
NGX_HTTP_B24_X("the request body could not be read: broken multipart form",
    "тело запроса не читается: испорченная форма multipart")
NGX_HTTP_B24_X("the request body is larger than b24_capture allows",
    "тело запроса больше, чем разрешает b24_capture")
NGX_HTTP_B24_X("raise b24_capture body=... for this location",
    "увеличьте b24_capture body=... для этого location")
NGX_HTTP_B24_X("the request body ended early",
    "тело запроса оборвалось")
NGX_HTTP_B24_X("the request body was not read",
    "тело запроса не прочитано")
NGX_HTTP_B24_X("raise b24_capture total=... if this happens often",
    "увеличьте b24_capture total=..., если это бывает часто")
NGX_HTTP_B24_X("the query string could not be read: too many arguments",
    "строка запроса не читается: слишком много аргументов")
NGX_HTTP_B24_X("a gateway answered in the shop's place (502 or 504)",
    "вместо магазина ответил шлюз (502 или 504)")
NGX_HTTP_B24_X("raise that gateway's timeout if this happens often",
    "увеличьте время ожидания этого шлюза, если это бывает часто")
NGX_HTTP_B24_X("the shop's answer is larger than b24_capture allows",
    "ответ магазина больше, чем разрешает b24_capture")
NGX_HTTP_B24_X("raise b24_capture answer=... for this location",
    "увеличьте b24_capture answer=... для этого location")
NGX_HTTP_B24_X("the shop's answer ended early",
    "ответ магазина оборвался")
NGX_HTTP_B24_X("the shop's answer was not kept",
    "ответ магазина не сохранён")
NGX_HTTP_B24_X("the shop's answer is compressed in a way that cannot be read "
    "(only gzip and deflate can)",
    "ответ магазина сжат так, что его не прочитать (можно только gzip и "
    "deflate)")
NGX_HTTP_B24_X("raise b24_capture answer=..., or clear Accept-Encoding "
    "towards the shop in this location: proxy_set_header Accept-Encoding "
    "\"\"; or fastcgi_param HTTP_ACCEPT_ENCODING \"\";",
    "увеличьте b24_capture answer=... или уберите Accept-Encoding из запросов "
    "к магазину в этом location: proxy_set_header Accept-Encoding \"\"; или "
    "fastcgi_param HTTP_ACCEPT_ENCODING \"\";")
NGX_HTTP_B24_X("clear Accept-Encoding towards the shop in this location: "
    "proxy_set_header Accept-Encoding \"\"; or fastcgi_param "
    "HTTP_ACCEPT_ENCODING \"\";",
    "уберите Accept-Encoding из запросов к магазину в этом location: "
    "proxy_set_header Accept-Encoding \"\"; или fastcgi_param "
    "HTTP_ACCEPT_ENCODING \"\";")
NGX_HTTP_B24_X("the shop's compressed answer is broken or unpacks to more "
    "than b24_capture allows",
    "сжатый ответ магазина испорчен или больше, чем разрешает b24_capture")
NGX_HTTP_B24_X("the shop's answer could not be read: broken JSON",
    "ответ магазина не читается: испорченный JSON")
NGX_HTTP_B24_X("a regex of the rules took too long on this order",
    "регулярное выражение из правил слишком долго разбирало этот заказ")
NGX_HTTP_B24_X("simplify the regexes of this block",
    "упростите регулярные выражения этого блока")
NGX_HTTP_B24_X("the rules changed between the request and its answer",
    "правила изменились между запросом и ответом на него")
NGX_HTTP_B24_X("the shop's answer has no order number",
    "в ответе магазина нет номера заказа")
NGX_HTTP_B24_X("check the accept and id lines of this block",
    "проверьте строки accept и id этого блока")
NGX_HTTP_B24_X("nothing was collected of the buyer's session before this "
    "order, so it has no number of its own",
    "до этого заказа из сеанса покупателя ничего не собрано, поэтому своего "
    "номера у него нет")
NGX_HTTP_B24_X("check the session line and the collect blocks of this shop",
    "проверьте строку session и блоки collect этого магазина")
NGX_HTTP_B24_X("the order number is longer than 255 bytes",
    "номер заказа длиннее 255 байт")
NGX_HTTP_B24_X("check the id line of this block",
    "проверьте строку id этого блока")
NGX_HTTP_B24_X("there are several numbers where the order's number is looked "
    "for",
    "там, где ищется номер заказа, их несколько")
NGX_HTTP_B24_X("name one of them in the id line of this block, such as "
    "response:/orders/0/id",
    "укажите один из них в строке id этого блока, например "
    "response:/orders/0/id")
NGX_HTTP_B24_X("the exchange was too large to be read",
    "запрос с ответом слишком велики, чтобы их прочитать")
NGX_HTTP_B24_X("the order was too large to be kept",
    "заказ слишком велик, чтобы его сохранить")
NGX_HTTP_B24_X("look the order up in the shop",
    "найдите заказ в магазине")
NGX_HTTP_B24_X("too many exchanges at once for b24_capture total=, this one "
    "was not read",
    "слишком много запросов сразу для b24_capture total=, этот не прочитан")
NGX_HTTP_B24_X("raise total= of b24_capture, look the order up in the shop",
    "увеличьте total= в b24_capture и найдите заказ в магазине")
NGX_HTTP_B24_X("if the shop has this order it comes in by itself, from its "
    "database: drop this record then; send it only when the shop has the "
    "order and no deal was made",
    "если заказ в магазине есть, он придёт сам, из базы: тогда удалите эту "
    "запись; отправляйте её, только если заказ есть, а сделки нет")

/* what was left out of an order */
NGX_HTTP_B24_X("the shop's \"*\" is not a number and was left out",
    "значение «*» из магазина — не число и пропущено")
NGX_HTTP_B24_X("the shop's \"*\" is not a code of three letters and was left "
    "out",
    "значение «*» из магазина — не код из трёх букв и пропущено")
NGX_HTTP_B24_X("\"minor_units\" is not a whole number from 0 to 6: the "
    "amounts of this order were left out",
    "minor_units — не целое число от 0 до 6: суммы этого заказа пропущены")
NGX_HTTP_B24_X("what was collected last is more than a session may hold "
    "(b24_sessions) and was left out",
    "собранное последним не помещается в сеанс (b24_sessions) и пропущено")
NGX_HTTP_B24_X("a row of the shop's items had none of the values the rules "
    "name and was left out",
    "в одной строке товаров магазина нет ни одного значения из правил, она "
    "пропущена")
NGX_HTTP_B24_X("a row of the shop's items has no name",
    "у одной строки товаров магазина нет названия")
NGX_HTTP_B24_X("the order has more rows than can be kept: the rest was left "
    "out",
    "строк в заказе больше, чем можно сохранить: остальные пропущены")
NGX_HTTP_B24_X("the shop's database has another total than the buyer's last "
    "page, and is taken at its word",
    "в базе магазина другая сумма, чем на последней странице покупателя; "
    "верим базе")
NGX_HTTP_B24_X("the cart was changed later: goods and total may be older than "
    "what was bought",
    "корзину потом меняли: товары и сумма могут быть старее купленного")
NGX_HTTP_B24_X("a later page of the shop could not be read: this may be older "
    "than what was bought",
    "одна из следующих страниц магазина не прочитана: это может быть старее "
    "купленного")

/* calls to the shop */
NGX_HTTP_B24_X("a regex of \"when\" took too long",
    "регулярное выражение из when разбирало слишком долго")
NGX_HTTP_B24_X("a regex of \"accept\" took too long",
    "регулярное выражение из accept разбирало слишком долго")
NGX_HTTP_B24_X("the shop has made the change",
    "магазин внёс изменение")
NGX_HTTP_B24_X("no \"write\" block is for this change",
    "для этого изменения нет блока write")
NGX_HTTP_B24_X("give a \"write\" block whose \"when\" lines hold for it, or "
    "leave it if the shop shall not follow",
    "добавьте блок write, чьи строки when для него верны, или оставьте так, "
    "если магазин не должен следовать")
NGX_HTTP_B24_X("check user= and password= of b24_site: log in to the shop "
    "with them by hand",
    "проверьте user= и password= в b24_site: войдите с ними в магазин вручную")
NGX_HTTP_B24_X("give the user of b24_site the right to change orders in the "
    "shop; a firewall in front of it may be the cause as well",
    "дайте пользователю из b24_site право менять заказы в магазине; причиной "
    "может быть и защита перед магазином")
NGX_HTTP_B24_X("the user of b24_site may not be allowed this change, or the "
    "order is locked in the shop: try it there by hand as that user",
    "пользователю из b24_site это изменение может быть запрещено, или заказ в "
    "магазине заблокирован: попробуйте там вручную под этим пользователем")
NGX_HTTP_B24_X("the shop refuses the login (401)",
    "магазин отказывает во входе (401)")
NGX_HTTP_B24_X("the shop forbids it (403)",
    "магазин это запрещает (403)")
NGX_HTTP_B24_X("the shop refuses a new session as well",
    "магазин отказывает и в новом сеансе")
NGX_HTTP_B24_X("the shop refuses the session",
    "магазин отказывает в сеансе")
NGX_HTTP_B24_X("the shop did not answer",
    "магазин не ответил")
NGX_HTTP_B24_X("see whether b24_site can be reached from this server",
    "проверьте, доступен ли b24_site с этого сервера")
NGX_HTTP_B24_X("the shop takes fewer calls than there are: raise its limit "
    "for this server",
    "магазин принимает меньше вызовов, чем их есть: поднимите его предел для "
    "этого сервера")
NGX_HTTP_B24_X("see the shop's own error log",
    "посмотрите журнал ошибок магазина")
NGX_HTTP_B24_X("the shop answered *, but \"*\" does not hold",
    "магазин ответил *, но условие «*» не выполнено")
NGX_HTTP_B24_X("the shop answered *",
    "магазин ответил *")
NGX_HTTP_B24_X("the shop asks for a login in place of an answer (*)",
    "вместо ответа магазин просит войти (*)")
NGX_HTTP_B24_X("the shop sends the call elsewhere (*)",
    "магазин перенаправляет вызов (*)")
NGX_HTTP_B24_X("give b24_site the address it ends at: https or http, with or "
    "without www",
    "впишите в b24_site адрес, на который он приводит: https или http, с www "
    "или без")
NGX_HTTP_B24_X("the shop does not know this order or this address (*)",
    "магазин не знает этого заказа или адреса (*)")
NGX_HTTP_B24_X("check \"url\" of this block and the path of b24_site; the "
    "order may have been deleted in the shop",
    "проверьте url этого блока и путь в b24_site; возможно, заказ в магазине "
    "удалён")
NGX_HTTP_B24_X("the shop refuses the call (*)",
    "магазин отклоняет вызов (*)")
NGX_HTTP_B24_X("compare the block with what the shop's interface takes, and "
    "see the shop's own log",
    "сравните блок с тем, что принимает интерфейс магазина, и посмотрите "
    "журнал магазина")
NGX_HTTP_B24_X("see what the shop answers to this call",
    "посмотрите, что магазин отвечает на этот вызов")
NGX_HTTP_B24_X("see what the shop answers to this call: a message of PHP in "
    "it may be the cause",
    "посмотрите, что магазин отвечает на этот вызов: причиной может быть "
    "сообщение PHP в ответе")
NGX_HTTP_B24_X("the shop's answer is too large, or compressed in a way that "
    "can't be read",
    "ответ магазина слишком велик или сжат так, что его не прочитать")
NGX_HTTP_B24_X("look whether the shop still answers the call that learns it "
    "as it did, and check its \"learn\" and \"when\" lines",
    "проверьте, отвечает ли магазин на вызов, который это узнаёт, как раньше, "
    "и строки learn и when этого вызова")
NGX_HTTP_B24_X("check \"url\" of this block, and the values in it",
    "проверьте url этого блока и значения в нём")
NGX_HTTP_B24_X("look at what gives this value",
    "посмотрите, откуда берётся это значение")
NGX_HTTP_B24_X("the URL of the call leads to another host than b24_site",
    "адрес вызова ведёт не туда, куда b24_site")
NGX_HTTP_B24_X("the URL of the call has a character that must be "
    "percent-encoded",
    "в адресе вызова есть знак, который надо закодировать через %")
NGX_HTTP_B24_X("the URL of the call has \"..\" or \".\" in its path",
    "в пути адреса вызова есть «..» или «.»")
NGX_HTTP_B24_X("* can't stand in \"*\": it has a line break or another "
    "control character",
    "* нельзя поставить в «*»: там перевод строки или другой управляющий знак")
NGX_HTTP_B24_X("* can't stand in \"*\": it is no number and stands outside of "
    "quotes",
    "* нельзя поставить в «*»: это не число и стоит вне кавычек")
NGX_HTTP_B24_X("* can't stand in \"*\": it stands behind a \"\\\"",
    "* нельзя поставить в «*»: перед ним стоит «\\»")
NGX_HTTP_B24_X("* can't stand in \"*\": XML can't carry its control characters",
    "* нельзя поставить в «*»: XML не передаёт его управляющие знаки")
NGX_HTTP_B24_X("* is not known, and \"*\" needs it",
    "* неизвестно, а в «*» оно нужно")
NGX_HTTP_B24_X("b24_site is no address that can be called",
    "по адресу b24_site нельзя обратиться")
NGX_HTTP_B24_X("give it as https://HOST or http://HOST, without a user in it",
    "впишите его как https://АДРЕС или http://АДРЕС, без пользователя")
NGX_HTTP_B24_X("the shop accepts it (*)",
    "магазин принимает это (*)")
NGX_HTTP_B24_X("the order has more items than are kept",
    "строк в заказе больше, чем хранится")
