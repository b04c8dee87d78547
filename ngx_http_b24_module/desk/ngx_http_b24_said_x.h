
/*
 * Sentences of causes and advice that the code writes, and the same in Russian:
 * X(English, Russian).  "*" is what differs from one to another.
 */


NGX_HTTP_B24_X("no webhook is configured", "вебхук не указан")
NGX_HTTP_B24_X("add b24_webhook to the server; its orders wait, none is lost",
    "добавьте b24_webhook в server; заказы ждут, ни один не потерян")
NGX_HTTP_B24_X("paused by hand", "приостановлено вручную")
NGX_HTTP_B24_X("paused by hand from *", "приостановлено вручную, с адреса *")
NGX_HTTP_B24_X("retried by hand from *", "повторено вручную, с адреса *")
NGX_HTTP_B24_X("sent by hand from * as number *",
    "отправлено вручную, с адреса *, под номером *")
NGX_HTTP_B24_X("sent by hand from *", "отправлено вручную, с адреса *")
NGX_HTTP_B24_X("dropped by hand from *", "удалено вручную, с адреса *")
NGX_HTTP_B24_X("resume the deliveries when they may go on; orders wait, none "
    "is lost", "возобновите доставку, когда можно; заказы ждут, ни один не "
    "потерян")
NGX_HTTP_B24_X("Nothing to do: it is tried again.",
    "Ничего: попытка повторится.")
NGX_HTTP_B24_X("Nothing to do: the order is looked for in the portal, then "
    "tried again.", "Ничего: заказ ищут на портале, потом пробуют снова.")
NGX_HTTP_B24_X("Nothing to do: the portal's time budget for this method is "
    "spent.", "Ничего: время, которое портал даёт этому методу, исчерпано.")
NGX_HTTP_B24_X("This webhook was made from a ready-made preset and is limited "
    "for ever; make a plain incoming webhook.", "Вебхук сделан из готового "
    "сценария и навсегда ограничен; создайте обычный входящий вебхук.")
NGX_HTTP_B24_X("Bitrix24 has blocked REST for this portal because of its load; "
    "contact Bitrix24's support.", "Битрикс24 заблокировал REST этого портала "
    "из-за нагрузки; напишите в поддержку Битрикс24.")
NGX_HTTP_B24_X("The portal's disk is full; free space there.",
    "Диск портала заполнен; освободите на нём место.")
NGX_HTTP_B24_X("The portal does not accept the webhook; check it in the "
    "portal.", "Портал не принимает вебхук; проверьте его на портале.")
NGX_HTTP_B24_X("The portal does not accept the webhook; check it and its "
    "owner's rights in the portal.", "Портал не принимает вебхук; проверьте на "
    "портале его и права его владельца.")
NGX_HTTP_B24_X("The portal does not know this webhook; check user id and code "
    "in b24_webhook.", "Портал не знает этого вебхука; проверьте номер "
    "сотрудника и код в b24_webhook.")
NGX_HTTP_B24_X("The webhook was deleted, blocked or has a new code; put a new "
    "one in b24_webhook.", "Вебхук удалён, заблокирован или получил новый код; "
    "впишите новый в b24_webhook.")
NGX_HTTP_B24_X("The webhook's owner is dismissed or inactive; make a new "
    "incoming webhook of an active user, with the permission \"crm\", and put "
    "it in b24_webhook.", "Владелец вебхука уволен или отключён; создайте "
    "входящий вебхук действующего сотрудника с правом «crm» и впишите его в "
    "b24_webhook.")
NGX_HTTP_B24_X("The webhook's date has passed; make a new one and put it in "
    "b24_webhook.", "Срок вебхука истёк; создайте новый и впишите его в "
    "b24_webhook.")
NGX_HTTP_B24_X("Give the webhook the permission \"crm\".",
    "Дайте вебхуку право «crm».")
NGX_HTTP_B24_X("The webhook's owner may not use REST; make a webhook of "
    "another user.", "Владельцу вебхука нельзя пользоваться REST; создайте "
    "вебхук другого сотрудника.")
NGX_HTTP_B24_X("The webhook's owner must be an employee of the portal.",
    "Владелец вебхука должен быть сотрудником портала.")
NGX_HTTP_B24_X("The portal's plan does not include REST.",
    "Тариф портала не включает REST.")
NGX_HTTP_B24_X("The portal is gone or closed; check that it still opens.",
    "Портал удалён или закрыт; проверьте, открывается ли он.")
NGX_HTTP_B24_X("An administrator of the portal must confirm the method.",
    "Администратор портала должен подтвердить метод.")
NGX_HTTP_B24_X("An administrator of the portal has refused the method.",
    "Администратор портала запретил метод.")
NGX_HTTP_B24_X("The portal's licence must be verified.",
    "Лицензию портала нужно подтвердить.")
NGX_HTTP_B24_X("The portal wants https; correct b24_webhook.",
    "Портал требует https; исправьте b24_webhook.")
NGX_HTTP_B24_X("This portal is too old for the method; try another b24_api.",
    "Портал слишком стар для этого метода; попробуйте другой b24_api.")
NGX_HTTP_B24_X("The portal's plan forbids this; try b24_api classic.",
    "Тариф портала это запрещает; попробуйте b24_api classic.")
NGX_HTTP_B24_X("The portal demands a field the order has not; make it optional "
    "there, set it by b24_deal or b24_contact, or use b24_api classic.",
    "Портал требует поле, которого в заказе нет; сделайте его там "
    "необязательным, задайте его через b24_deal или b24_contact, или "
    "используйте b24_api classic.")
NGX_HTTP_B24_X("Give the webhook's owner the right to read and add contacts, "
    "companies and deals.", "Дайте владельцу вебхука право читать и добавлять "
    "контакты, компании и сделки.")
NGX_HTTP_B24_X("Nothing to do: the portal asked for fewer requests.",
    "Ничего: портал попросил слать запросы реже.")
NGX_HTTP_B24_X("The portal refuses a value of this order; see the text.",
    "Портал не принимает значение из этого заказа; прочтите текст ошибки.")
NGX_HTTP_B24_X("This is an error of the module; please report it.",
    "Это ошибка модуля; сообщите о ней, пожалуйста.")
NGX_HTTP_B24_X("Give the webhook's owner access to the catalogue.",
    "Дайте владельцу вебхука доступ к каталогу.")
NGX_HTTP_B24_X("What the order is linked to was deleted in the portal.",
    "То, с чем связан заказ, на портале удалено.")
NGX_HTTP_B24_X("The deal was deleted in the portal.",
    "Сделка на портале удалена.")
NGX_HTTP_B24_X("The portal gave an error the module does not know; see the "
    "text.", "Модуль не знает этой ошибки портала; прочтите её текст.")
NGX_HTTP_B24_X("Check the host in b24_webhook, and this server's DNS.",
    "Проверьте адрес портала в b24_webhook и DNS этого сервера.")
NGX_HTTP_B24_X("Check the host in b24_webhook, and that it speaks TLS 1.2 or "
    "newer.", "Проверьте адрес портала в b24_webhook и что он понимает TLS 1.2 "
    "или новее.")
NGX_HTTP_B24_X("the portal's name cannot be resolved",
    "имя портала не находится в DNS")
NGX_HTTP_B24_X("the portal does not accept connections",
    "портал не принимает соединений")
NGX_HTTP_B24_X("the portal's certificate is not trusted",
    "сертификату портала нельзя верить")
NGX_HTTP_B24_X("no TLS connection to the portal",
    "нет соединения TLS с порталом")
NGX_HTTP_B24_X("the portal did not answer in time",
    "портал не ответил вовремя")
NGX_HTTP_B24_X("no connection to the portal in time",
    "не удалось вовремя соединиться с порталом")
NGX_HTTP_B24_X("the portal's answer is too large",
    "ответ портала слишком велик")
NGX_HTTP_B24_X("the connection to the portal broke",
    "соединение с порталом оборвалось")
NGX_HTTP_B24_X("no connection to the portal", "нет соединения с порталом")
NGX_HTTP_B24_X("the name in b24_alert cannot be resolved",
    "имя из b24_alert не находится в DNS")
NGX_HTTP_B24_X("Check the host in b24_alert, and this server's DNS.",
    "Проверьте имя в b24_alert и DNS этого сервера.")
NGX_HTTP_B24_X("the server in b24_alert does not accept connections",
    "сервер из b24_alert не принимает соединений")
NGX_HTTP_B24_X("the certificate of the server in b24_alert is not trusted",
    "сертификату сервера из b24_alert нельзя верить")
NGX_HTTP_B24_X("Check the host in b24_alert, and that b24_trusted_certificate "
    "holds the CA of its server, too.", "Проверьте имя в b24_alert и то, что в "
    "b24_trusted_certificate есть и центр сертификации его сервера.")
NGX_HTTP_B24_X("no TLS connection to the server in b24_alert",
    "нет соединения TLS с сервером из b24_alert")
NGX_HTTP_B24_X("Check the host in b24_alert, and that it speaks TLS 1.2 or "
    "newer.", "Проверьте имя в b24_alert и то, что там TLS 1.2 или новее.")
NGX_HTTP_B24_X("the server in b24_alert did not answer in time",
    "сервер из b24_alert не ответил вовремя")
NGX_HTTP_B24_X("no connection to the server in b24_alert in time",
    "не удалось вовремя соединиться с сервером из b24_alert")
NGX_HTTP_B24_X("the connection to the server in b24_alert broke",
    "соединение с сервером из b24_alert оборвалось")
NGX_HTTP_B24_X("no connection to the server in b24_alert",
    "нет соединения с сервером из b24_alert")
NGX_HTTP_B24_X("the server in b24_alert answered *",
    "сервер из b24_alert ответил *")
NGX_HTTP_B24_X("Put the address that it redirects to into b24_alert, if it is "
    "to be believed: redirects are not followed.", "Впишите в b24_alert адрес, "
    "на который он перенаправляет, если ему можно верить: перенаправления не "
    "выполняются.")
NGX_HTTP_B24_X("Check the address in b24_alert: what takes alerts there must "
    "answer with 200 to 299.", "Проверьте адрес в b24_alert: тот, кто там "
    "принимает оповещения, должен отвечать кодом от 200 до 299.")
NGX_HTTP_B24_X("there is no such socket", "такого сокета нет")
NGX_HTTP_B24_X("Make it, or correct the path in b24_alert.",
    "Создайте его или исправьте путь в b24_alert.")
NGX_HTTP_B24_X("nobody listens at the socket", "сокет никто не слушает")
NGX_HTTP_B24_X("Start who is to listen there: with systemd, the unit of the "
    "socket.", "Запустите того, кто должен его слушать: с systemd — unit "
    "сокета.")
NGX_HTTP_B24_X("the workers' user may not write to the socket",
    "пользователю рабочих процессов нельзя писать в сокет")
NGX_HTTP_B24_X("Let that user reach the socket and write to it.",
    "Дайте этому пользователю доступ к сокету и право писать в него.")
NGX_HTTP_B24_X("it is no stream socket", "это не потоковый сокет")
NGX_HTTP_B24_X("Let who listens there make a stream socket: with systemd, "
    "ListenStream.", "Пусть тот, кто его слушает, создаст потоковый сокет: с "
    "systemd — ListenStream.")
NGX_HTTP_B24_X("the socket takes no more connections",
    "сокет больше не принимает соединений")
NGX_HTTP_B24_X("See why who listens there takes none.",
    "Узнайте, почему их не принимает тот, кто его слушает.")
NGX_HTTP_B24_X("the socket did not take the message",
    "сокет не принял сообщения")
NGX_HTTP_B24_X("See whether who listens there is well.",
    "Узнайте, всё ли хорошо с тем, кто его слушает.")
NGX_HTTP_B24_X("the request could not be sent",
    "запрос не удалось отправить")
NGX_HTTP_B24_X("the portal answered * without saying why",
    "портал ответил * и не сказал почему")
NGX_HTTP_B24_X("Bitrix24 answered *", "Битрикс24 ответил: *")
NGX_HTTP_B24_X("the time that the portal gives these methods is used up",
    "время, которое портал даёт этим методам, исчерпано")
NGX_HTTP_B24_X("look at the order on this page and in the shop, then retry or "
    "enter it by hand", "посмотрите заказ на этой странице и в магазине, потом "
    "повторите его или введите вручную")
NGX_HTTP_B24_X("look at the deal and at the order in the shop",
    "посмотрите сделку и заказ в магазине")
NGX_HTTP_B24_X("compare the deal's rows with the order in the shop",
    "сравните товары сделки с заказом в магазине")
NGX_HTTP_B24_X("the shop's answer was not seen",
    "ответа магазина никто не видел")
NGX_HTTP_B24_X("look whether the shop has this order, then send or drop this "
    "record", "посмотрите, есть ли заказ в магазине, потом отправьте или "
    "удалите эту запись")
NGX_HTTP_B24_X("location \"*\": the order of a buyer who leaves before the "
    "answer stays unconfirmed; set proxy_ignore_client_abort on; there "
    "(fastcgi_ignore_client_abort with fastcgi_pass)", "location «*»: заказ "
    "покупателя, который ушёл до ответа, останется неподтверждённым; поставьте "
    "там proxy_ignore_client_abort on; (с fastcgi_pass — "
    "fastcgi_ignore_client_abort)")

/* what an action was refused with */
NGX_HTTP_B24_X("there is no such order", "такого заказа нет")
NGX_HTTP_B24_X("the shop has not answered to the order yet",
    "магазин ещё не ответил на заказ")
NGX_HTTP_B24_X("the order is to be delivered already",
    "заказ уже стоит в очереди")
NGX_HTTP_B24_X("the order is being delivered now",
    "заказ сейчас отправляется")
NGX_HTTP_B24_X("the order waits to be tried again: retry it or drop it",
    "заказ ждёт новой попытки: повторите или удалите его")
NGX_HTTP_B24_X("nobody has seen the shop accept the order: send it or drop it",
    "никто не видел, что магазин принял заказ: отправьте или удалите его")
NGX_HTTP_B24_X("the order is delivered: delete its deal in Bitrix24",
    "заказ доставлен: удалите его сделку в Битрикс24")
NGX_HTTP_B24_X("the order is delivered already", "заказ уже доставлен")
NGX_HTTP_B24_X("the order was dropped, what it held is erased",
    "заказ удалён, записанное о нём стёрто")

/* the portal's answers and the network */
NGX_HTTP_B24_X("Check the host in b24_webhook, and that "
    "b24_trusted_certificate holds the portal's CA.",
    "Проверьте адрес портала в b24_webhook и что в b24_trusted_certificate "
    "есть его удостоверяющий центр.")
NGX_HTTP_B24_X("the portal could not be reached",
    "портал недоступен")
NGX_HTTP_B24_X("Nothing to do unless it lasts: then see whether this server "
    "can reach the portal.",
    "Ничего, если это ненадолго; иначе проверьте, виден ли портал с этого "
    "сервера.")
NGX_HTTP_B24_X("the portal's answer did not arrive",
    "ответ портала не дошёл")
NGX_HTTP_B24_X("the portal's address has changed",
    "адрес портала изменился")
NGX_HTTP_B24_X("Put the portal's new address in b24_webhook.",
    "Впишите новый адрес портала в b24_webhook.")
NGX_HTTP_B24_X("something in front of the portal refused the request",
    "запрос отклонило что-то, стоящее перед порталом")
NGX_HTTP_B24_X("Check the address in b24_webhook and whether this server's "
    "address is allowed there.",
    "Проверьте адрес в b24_webhook и разрешён ли там адрес этого сервера.")
NGX_HTTP_B24_X("the order is too large for the portal",
    "заказ слишком велик для портала")
NGX_HTTP_B24_X("Enter the order by hand.",
    "Введите заказ вручную.")
NGX_HTTP_B24_X("the portal asked for fewer requests",
    "портал попросил слать запросы реже")
NGX_HTTP_B24_X("the portal's answer is not what REST answers",
    "REST так не отвечает: это ответ чего-то другого")
NGX_HTTP_B24_X("The portal demands a field the order has not; make it "
    "optional there or set it by b24_deal or b24_contact.",
    "Портал требует поле, которого в заказе нет; сделайте его там "
    "необязательным или задайте через b24_deal или b24_contact.")
NGX_HTTP_B24_X("The portal sends requests on to no address; put its present "
    "one in b24_webhook.",
    "Портал перенаправляет запросы в никуда; впишите его нынешний адрес в "
    "b24_webhook.")
NGX_HTTP_B24_X("The portal sends requests on to *, without https; put the "
    "portal's https address in b24_webhook.",
    "Портал перенаправляет запросы на * без https; впишите в b24_webhook его "
    "адрес с https.")
NGX_HTTP_B24_X("The portal sends requests on to *, in another domain; if the "
    "portal has moved there, put its new address in b24_webhook.",
    "Портал перенаправляет запросы на *, в другой домен; если он переехал "
    "туда, впишите новый адрес в b24_webhook.")
NGX_HTTP_B24_X("The portal sends requests on to *, but not to its REST; open "
    "the portal in a browser, and check the address in b24_webhook.",
    "Портал перенаправляет запросы на *, но не на REST; откройте портал в "
    "браузере и проверьте адрес в b24_webhook.")
NGX_HTTP_B24_X("The portal sends requests on to *, and from there back; put "
    "the portal's present address in b24_webhook.",
    "Портал перенаправляет запросы на * и оттуда обратно; впишите его "
    "нынешний адрес в b24_webhook.")
NGX_HTTP_B24_X("an error without a code",
    "ошибка без кода")
NGX_HTTP_B24_X("the portal's answer cannot be read",
    "ответ портала не читается")
NGX_HTTP_B24_X("a look-up was answered in a form the module does not know",
    "портал ответил на поиск в неизвестном модулю виде")
NGX_HTTP_B24_X("a command was answered in a form the module does not know",
    "портал ответил на команду в неизвестном модулю виде")
NGX_HTTP_B24_X("the portal left a look-up out of its answer",
    "портал не ответил на один из поисков")
NGX_HTTP_B24_X("the portal left a command out of its answer",
    "портал не ответил на одну из команд")
NGX_HTTP_B24_X("the portal left a question out of its answer",
    "портал не ответил на один из вопросов")
NGX_HTTP_B24_X("the portal takes the order only in part",
    "портал принимает только часть заказа")
NGX_HTTP_B24_X("the portal does not take the change",
    "портал не принимает изменение")
NGX_HTTP_B24_X("the portal did not confirm the product rows",
    "портал не подтвердил товары сделки")
NGX_HTTP_B24_X("the portal did not say that the deal was moved",
    "портал не подтвердил перевод сделки")
NGX_HTTP_B24_X("the portal did not link the deal to its contact",
    "портал не связал сделку с контактом")
NGX_HTTP_B24_X("the portal did not link the deal to its company",
    "портал не связал сделку с компанией")
NGX_HTTP_B24_X("the portal did not take the stage \"*\", the deal is at \"*\"",
    "портал не принял стадию «*», сделка на стадии «*»")
NGX_HTTP_B24_X("the portal did not take * of the deal as it was sent",
    "портал принял поле сделки не так, как оно отправлено: *")
NGX_HTTP_B24_X("the portal can't keep some characters (emoji): they were left "
    "out",
    "портал не хранит некоторые знаки (эмодзи): они пропущены")
NGX_HTTP_B24_X("the portal's catalogue could not be read: the rows are free "
    "ones",
    "каталог портала не читается: товары записаны без связи с ним")
NGX_HTTP_B24_X("the order cannot be put into commands",
    "из заказа не складываются команды")
NGX_HTTP_B24_X("the order's rows cannot be put into a command",
    "из товаров заказа не складывается команда")
NGX_HTTP_B24_X("the change cannot be put into a command",
    "из изменения не складывается команда")
NGX_HTTP_B24_X("the stored order cannot be read",
    "записанный заказ не читается")

/* what the configuration names and the portal lacks */
NGX_HTTP_B24_X("the portal has moved to \"*\": correct b24_webhook",
    "портал переехал на «*»: исправьте b24_webhook")
NGX_HTTP_B24_X("the portal has no pipeline *: correct b24_category",
    "на портале нет воронки *: исправьте b24_category")
NGX_HTTP_B24_X("the portal has no pipeline *",
    "на портале нет воронки *")
NGX_HTTP_B24_X("the portal's catalogue can't be read (*): give the webhook "
    "the permission \"catalog\"; until then products are free rows",
    "каталог портала не читается (*): дайте вебхуку право «catalog»; до тех "
    "пор товары записываются без связи с ним")
NGX_HTTP_B24_X("the portal has no catalogue: products are free rows",
    "на портале нет каталога: товары записываются без связи с ним")
NGX_HTTP_B24_X("the webhook lacks the permission \"crm\": tick CRM in the "
    "webhook's settings; until then no order can be sent",
    "у вебхука нет права «crm»: отметьте CRM в его настройках; до тех пор "
    "заказы не отправить")
NGX_HTTP_B24_X("the portal refuses to tell its stages (*): give the user of "
    "the webhook rights to read and add contacts, companies and deals",
    "портал не показывает свои стадии (*): дайте владельцу вебхука право "
    "читать и добавлять контакты, компании и сделки")
NGX_HTTP_B24_X("the webhook lacks the permission \"catalog\", which "
    "b24_product xml_id needs: tick it in the webhook's settings; until then "
    "products are free rows",
    "у вебхука нет права «catalog», нужного для b24_product xml_id: отметьте "
    "его в настройках вебхука; до тех пор товары записываются без связи с "
    "каталогом")
NGX_HTTP_B24_X("the portal has no currency \"*\", which the shop \"*\" uses: "
    "add it in the CRM's settings, or correct the currency line; such orders "
    "are parked",
    "на портале нет валюты «*», которая нужна магазину «*»: добавьте её в "
    "настройках CRM или исправьте строку currency; такие заказы откладываются")
NGX_HTTP_B24_X("the portal has no stage \"*\" (of the status \"*\") in "
    "pipeline *: correct the stage line of the shop \"*\" or add a "
    "b24_stage; such orders go to the pipeline's first stage",
    "на портале нет стадии «*» (для статуса «*») в воронке *: исправьте "
    "строку stage магазина «*» или добавьте b24_stage; такие заказы попадают "
    "на первую стадию воронки")
NGX_HTTP_B24_X("the default_status \"*\" of the shop \"*\" has no stage line",
    "для default_status «*» магазина «*» нет строки stage")
NGX_HTTP_B24_X("* of the shop \"*\": the portal's deals have no such field",
    "* магазина «*»: у сделок портала нет такого поля")
NGX_HTTP_B24_X("* of the shop \"*\": the portal's contacts have no such field",
    "* магазина «*»: у контактов портала нет такого поля")
NGX_HTTP_B24_X("* of the shop \"*\": the portal's companies have no such field",
    "* магазина «*»: у компаний портала нет такого поля")
NGX_HTTP_B24_X("* of the shop \"*\": the portal has no value \"*\", only *",
    "* магазина «*»: на портале нет значения «*», есть только *")
NGX_HTTP_B24_X("*: the portal's deals have no such field",
    "*: у сделок портала нет такого поля")
NGX_HTTP_B24_X("*: the portal's contacts have no such field",
    "*: у контактов портала нет такого поля")
NGX_HTTP_B24_X("*: the portal's companies have no such field",
    "*: у компаний портала нет такого поля")
NGX_HTTP_B24_X("*: the portal has no value \"*\", only *",
    "*: на портале нет значения «*», есть только *")
NGX_HTTP_B24_X("the status \"*\" has no line in the table of stages: its "
    "orders' deals are not moved; add \"b24_stage * STAGE;\"",
    "для статуса «*» нет строки в таблице стадий: сделки таких заказов не "
    "переводятся; добавьте «b24_stage * СТАДИЯ;»")
NGX_HTTP_B24_X("compare the \"stage\" and \"b24_stage\" lines with the shop "
    "and the portal",
    "сравните строки stage и b24_stage с магазином и порталом")
NGX_HTTP_B24_X("add a line such as \"b24_stage STATUS STAGE;\", or \"stage\" "
    "in the shop's rules",
    "добавьте строку вроде «b24_stage СТАТУС СТАДИЯ;» или stage в правилах "
    "магазина")
NGX_HTTP_B24_X("the stage \"*\" stands for no status of the shop: its orders "
    "are left as they are; add \"b24_stage_back\" with that stage and the "
    "status",
    "стадии «*» не соответствует ни один статус магазина: такие заказы "
    "остаются как есть; добавьте b24_stage_back с этой стадией и статусом")
NGX_HTTP_B24_X("the portal refuses deals that were moved (*): what is done in "
    "the CRM is not seen; look what the user of b24_webhook may read there",
    "портал не показывает переведённые сделки (*): сделанное в CRM не видно; "
    "проверьте, что там может читать владелец вебхука")
NGX_HTTP_B24_X("the portal refuses its history of stages (*): a deal whose "
    "webhook is lost, or that goes to another pipeline, is not seen; look "
    "what the user of b24_webhook may read in the CRM",
    "портал не показывает историю стадий (*): сделку, чей вебхук потерян или "
    "которая ушла в другую воронку, не видно; проверьте, что может читать в "
    "CRM владелец вебхука")
NGX_HTTP_B24_X("the shop has no place for the number of a deal: for 1C-Bitrix "
    "add an order property with the code B24_DEAL_ID for each type of buyer",
    "в магазине некуда записать номер сделки: для 1С-Битрикс добавьте "
    "свойство заказа с кодом B24_DEAL_ID для каждого типа плательщика")
NGX_HTTP_B24_X("rows of the \"changes\" statement have no column \"id\", "
    "\"row\" or \"changed\": orders that never pass nginx can't be imported",
    "в строках запроса changes нет столбца id, row или changed: заказы, "
    "которые не проходят через nginx, не загрузить")

/* one order and its deal */
NGX_HTTP_B24_X("order number seen before with other content",
    "такой номер уже был, но с другим содержимым")
NGX_HTTP_B24_X("if it is a new order, send it: its number gets a suffix; else "
    "drop it",
    "если это новый заказ, отправьте его: к номеру добавится суффикс; иначе "
    "удалите")
NGX_HTTP_B24_X("the same order was submitted again",
    "тот же заказ отправлен ещё раз")
NGX_HTTP_B24_X("nginx stopped before the shop's answer was seen",
    "nginx остановился раньше, чем увидел ответ магазина")
NGX_HTTP_B24_X("look the order up in the shop, then send or drop this record",
    "найдите заказ в магазине, потом отправьте или удалите эту запись")
NGX_HTTP_B24_X("taken over from a worker that went away",
    "принят от процесса, который исчез")
NGX_HTTP_B24_X("untouched for long: will be deleted after another \"keep\" of "
    "b24_queue",
    "давно никто не трогал: удалится ещё через один срок keep из b24_queue")
NGX_HTTP_B24_X("its deal is to be made known",
    "о сделке надо сообщить магазину")
NGX_HTTP_B24_X("the shop is to be told",
    "надо сообщить магазину")
NGX_HTTP_B24_X("the order was changed",
    "заказ изменён")
NGX_HTTP_B24_X("the deal was there already",
    "сделка уже была")
NGX_HTTP_B24_X("the phone belongs to contact *, the e-mail to contact *; the "
    "deal went to the former",
    "телефон у контакта *, почта у контакта *; сделка отдана первому")
NGX_HTTP_B24_X("the e-mail belongs to contact *, the phone to contact *; the "
    "deal went to the former",
    "почта у контакта *, телефон у контакта *; сделка отдана первому")
NGX_HTTP_B24_X("the order's status has no line in the table of stages: the "
    "deal is at the pipeline's first stage",
    "для статуса заказа нет строки в таблице стадий: сделка на первой стадии "
    "воронки")
NGX_HTTP_B24_X("the portal has no stage \"*\" in pipeline *: the deal is at "
    "the pipeline's first stage",
    "на портале нет стадии «*» в воронке *: сделка на первой стадии воронки")
NGX_HTTP_B24_X("the order's status has no line in the table of stages: the "
    "deal's stage was left alone",
    "для статуса заказа нет строки в таблице стадий: стадия сделки не изменена")
NGX_HTTP_B24_X("the order's status \"*\" has no line in the table of stages: "
    "the deal's stage was left alone",
    "для статуса заказа «*» нет строки в таблице стадий: стадия сделки не "
    "изменена")
NGX_HTTP_B24_X("the portal has no stage \"*\" in pipeline *: the deal's stage "
    "was left alone",
    "на портале нет стадии «*» в воронке *: стадия сделки не изменена")
NGX_HTTP_B24_X("look at the deal; when the stage is wrong, compare the stage "
    "lines and b24_stage with the portal",
    "посмотрите сделку; если стадия неверна, сравните строки stage и "
    "b24_stage с порталом")
NGX_HTTP_B24_X("the product rows differ from the shop's total by *",
    "товары сделки расходятся с суммой магазина на *")
NGX_HTTP_B24_X("look at the deal",
    "посмотрите сделку")
NGX_HTTP_B24_X("nothing in it is new",
    "нового в нём нет")
NGX_HTTP_B24_X("it means no stage of its own",
    "своей стадии он не означает")
NGX_HTTP_B24_X("the order has no deal",
    "у заказа нет сделки")
NGX_HTTP_B24_X("the deal is at the stage \"*\" now",
    "сделка теперь на стадии «*»")
NGX_HTTP_B24_X("the deal is at the stage \"*\" now, the shop's change was the "
    "newer one: in the CRM it had been moved to \"*\"",
    "сделка теперь на стадии «*», изменение в магазине новее: в CRM её "
    "перевели на «*»")
NGX_HTTP_B24_X("the deal was at the stage \"*\" already",
    "сделка уже была на стадии «*»")
NGX_HTTP_B24_X("the deal is not in the CRM any more: it is not made again",
    "сделки в CRM больше нет: заново она не создаётся")
NGX_HTTP_B24_X("the deal is not in the CRM any more",
    "сделки в CRM больше нет")
NGX_HTTP_B24_X("if it was deleted by mistake, restore it in Bitrix24",
    "если её удалили по ошибке, восстановите её в Битрикс24")
NGX_HTTP_B24_X("the deal was moved to another pipeline: its stage \"*\" was "
    "left alone",
    "сделку перевели в другую воронку: её стадия «*» не изменена")
NGX_HTTP_B24_X("the deal was moved to \"*\" in the CRM after the shop's "
    "change to \"*\": it was left there",
    "сделку перевели в CRM на «*» после изменения в магазине на «*»: там она "
    "и осталась")
NGX_HTTP_B24_X("the deal was closed at \"*\" after the shop's change to "
    "\"*\": it was left there",
    "сделку закрыли на «*» после изменения в магазине на «*»: там она и "
    "осталась")
NGX_HTTP_B24_X("the deal was moved to \"*\" in the CRM",
    "сделку перевели в CRM на «*»")
NGX_HTTP_B24_X("the deal is closed at \"*\": what was changed in the shop was "
    "left out, the order's total is * there, the deal's is *",
    "сделка закрыта на «*»: изменённое в магазине не перенесено, там сумма "
    "заказа *, у сделки *")
NGX_HTTP_B24_X("the deal is closed at \"*\": what was changed in the shop was "
    "left out",
    "сделка закрыта на «*»: изменённое в магазине не перенесено")
NGX_HTTP_B24_X("somebody, or a robot, had changed the deal in the CRM: if "
    "that was meant, enter it in the shop, and the deal follows",
    "сделку изменил в CRM человек или робот: если так и надо, внесите это в "
    "магазине, и сделка последует за ним")
NGX_HTTP_B24_X("what the shop's database has of the order's goods makes no "
    "product rows: the deal's were left as they are",
    "из товаров, которые есть в базе магазина, не складываются товары сделки: "
    "они оставлены как есть")
NGX_HTTP_B24_X("the portal did not take the total *, the deal has *",
    "портал не принял сумму *, у сделки *")
NGX_HTTP_B24_X("the deal's total was * already",
    "сумма сделки уже была *")
NGX_HTTP_B24_X("the deal's total is * now, as in the shop",
    "сумма сделки теперь *, как в магазине")
NGX_HTTP_B24_X("the deal's total had been changed in the CRM to *, the sum of "
    "its rows: it is * now, as in the shop",
    "сумму сделки изменили в CRM на *, сумму её товаров: теперь она *, как в "
    "магазине")
NGX_HTTP_B24_X("the deal's total had been changed in the CRM to *: it is * "
    "now, as in the shop",
    "сумму сделки изменили в CRM на *: теперь она *, как в магазине")
NGX_HTTP_B24_X("its product rows were those of the shop already",
    "товары сделки уже были как в магазине")
NGX_HTTP_B24_X("its product rows are those of the shop now",
    "товары сделки теперь как в магазине")
NGX_HTTP_B24_X("its product rows had been changed in the CRM, to * of *: they "
    "are those of the shop now",
    "товары сделки изменили в CRM (*, на сумму *): теперь они как в магазине")
NGX_HTTP_B24_X("the buyer's data were changed in the shop: the contact was "
    "left as it is",
    "данные покупателя изменили в магазине: контакт оставлен как есть")
NGX_HTTP_B24_X("compare the deal's contact with the order in the shop",
    "сравните контакт сделки с заказом в магазине")

/* the queue */
NGX_HTTP_B24_X("the queue is locked by another process",
    "очередь занята другим процессом")
NGX_HTTP_B24_X("no space is left on the disk of the queue",
    "на диске очереди нет места")
NGX_HTTP_B24_X("the queue can't be written: check owner and mode of its "
    "folder and whether its disk is mounted read-only",
    "в очередь нельзя записать: проверьте владельца и права её папки и не "
    "только ли для чтения подключён диск")
NGX_HTTP_B24_X("the queue can't be opened, read or written",
    "очередь не открывается, не читается или не пишется")
NGX_HTTP_B24_X("the file of the queue is broken or no queue of this module",
    "файл очереди испорчен или это не очередь этого модуля")
NGX_HTTP_B24_X("the queue was made by a newer version of this module",
    "очередь создана более новой версией модуля")
NGX_HTTP_B24_X("the record is in other hands by now",
    "запись уже в других руках")
NGX_HTTP_B24_X("the queue holds as many undelivered records as \"max\" allows",
    "недоставленных записей в очереди столько, сколько разрешает max")
NGX_HTTP_B24_X("out of memory",
    "не хватило памяти")
NGX_HTTP_B24_X("internal error of the queue",
    "внутренняя ошибка очереди")

/* what else an action was refused with */
NGX_HTTP_B24_X("there is no portal to ask: there is no b24_webhook",
    "спрашивать некого: нет b24_webhook")
NGX_HTTP_B24_X("there is no such origin",
    "такого магазина нет")
NGX_HTTP_B24_X("the shop's database has brought an order of this buyer and "
    "total in the meantime: it has a deal of its own, drop this one",
    "тем временем из базы магазина пришёл заказ этого покупателя на ту же "
    "сумму: у него своя сделка, удалите этот")
NGX_HTTP_B24_X("another order has this number already: give it another suffix=",
    "такой номер уже есть у другого заказа: задайте другой suffix=")
NGX_HTTP_B24_X("the order is to be delivered: only one that waits, is parked "
    "or unconfirmed can be dropped",
    "заказ будет доставлен: удалить можно только отложенный, неподтверждённый "
    "или ждущий повтора")
NGX_HTTP_B24_X("the order is not parked for its number: retry it or drop it",
    "заказ отложен не из-за номера: повторите или удалите его")
NGX_HTTP_B24_X("the order's number was another one's already: send it, with a "
    "number of its own, or drop it",
    "номер этого заказа уже был у другого: отправьте его под своим номером "
    "или удалите")
NGX_HTTP_B24_X("the queue refuses it: *",
    "очередь отказывает: *")
NGX_HTTP_B24_X("refused: the request comes from another site",
    "отклонено: запрос пришёл с другого сайта")
NGX_HTTP_B24_X("refused: a browser must say in Origin or Sec-Fetch-Site that "
    "the request comes from this page; from a program, send neither cookies "
    "nor a browser's User-Agent",
    "отклонено: браузер должен сказать в Origin или Sec-Fetch-Site, что "
    "запрос пришёл с этой страницы; программе не надо слать cookie и "
    "User-Agent браузера")
