
/* What the page says: X(id, English, Russian).  Texts are HTML. */


NGX_HTTP_B24_X(LANG, "en", "ru")
NGX_HTTP_B24_X(TITLE, "Orders to Bitrix24", "Заказы в Битрикс24")
NGX_HTTP_B24_X(SEARCH, "Order number", "Номер заказа")
NGX_HTTP_B24_X(FIND, "Find", "Найти")
NGX_HTTP_B24_X(HOME, "All orders", "Все заказы")
NGX_HTTP_B24_X(ORDER, "Order", "Заказ")
NGX_HTTP_B24_X(AS, "in Bitrix24 as", "в Битрикс24 как")
NGX_HTTP_B24_X(NUMBERLESS, "without a number", "без номера")
NGX_HTTP_B24_X(SEVERAL, "Several orders have this number:",
               "Этот номер есть у нескольких заказов:")
NGX_HTTP_B24_X(STALE, "nginx does not answer: this is how it was before.",
               "nginx не отвечает: показано то, что было раньше.")
NGX_HTTP_B24_X(AS_OF, "as of", "состояние на")

/* the first line */
NGX_HTTP_B24_X(ALL_WELL, "All is well: orders reach the CRM.",
               "Всё хорошо: заказы доходят до CRM.")
NGX_HTTP_B24_X(REACHED, "Orders reach the CRM.", "Заказы доходят до CRM.")
NGX_HTTP_B24_X(NEED_YOU, "Some need you:", "Ждут вашего решения:")
NGX_HTTP_B24_X(SLOW, "Orders reach the CRM late.",
               "Заказы доходят до CRM с задержкой.")
NGX_HTTP_B24_X(SLOW_SOME, "Orders of some shops reach the CRM late.",
               "Заказы части магазинов доходят до CRM с задержкой.")
NGX_HTTP_B24_X(TRIAL, "A trial run: no order is sent to the CRM.",
               "Пробный режим: заказы в CRM не отправляются.")
NGX_HTTP_B24_X(TRIAL_SOME, "A trial run for some shops: their orders are not"
               " sent to the CRM.", "Пробный режим у части магазинов: их заказы"
               " в CRM не отправляются.")
NGX_HTTP_B24_X(HELD, "Deliveries to the CRM are paused.",
               "Доставка в CRM приостановлена.")
NGX_HTTP_B24_X(HELD_SOME, "Deliveries of some shops to the CRM are paused.",
               "Доставка в CRM приостановлена у части магазинов.")
NGX_HTTP_B24_X(NOT_REACHED, "Orders do not reach the CRM.",
               "Заказы не доходят до CRM.")
NGX_HTTP_B24_X(NOT_REACHED_SOME, "Orders of some shops do not reach the CRM.",
               "Заказы части магазинов не доходят до CRM.")

/* what a portal is */
NGX_HTTP_B24_X(IS_OK, "Bitrix24 takes orders.", "Битрикс24 принимает заказы.")
NGX_HTTP_B24_X(IS_THROTTLED, "Bitrix24 has asked for a pause; deliveries go on"
               " by themselves.", "Битрикс24 просит паузу; доставка продолжится"
               " сама.")
NGX_HTTP_B24_X(IS_RETRYING, "Bitrix24 does not answer as it should; it is tried"
               " again by itself.", "Битрикс24 не отвечает как должен; попытки"
               " повторяются сами.")
NGX_HTTP_B24_X(IS_PAUSED, "A person has paused deliveries.",
               "Доставка приостановлена человеком.")
NGX_HTTP_B24_X(IS_BLOCKED, "Bitrix24 refuses what is sent to it, and only you"
               " can change that.", "Битрикс24 отказывает, и изменить это"
               " можете только вы.")
NGX_HTTP_B24_X(IS_BARE, "There is no portal to send orders to.",
               "Некуда отправлять заказы: портал не указан.")
NGX_HTTP_B24_X(IS_DRY, "A trial run: nothing is sent to Bitrix24, the page of"
               " an order shows what would be.", "Пробный режим: в Битрикс24"
               " ничего не отправляется, на странице заказа видно, что ушло"
               " бы.")
NGX_HTTP_B24_X(WAIT_ONE, "<b>*</b> order waits, it is not lost.",
               "Ждёт <b>*</b> заказ, ничего не потеряно.")
NGX_HTTP_B24_X(WAIT_FEW, "<b>*</b> orders wait, none is lost.",
               "Ждут <b>*</b> заказа, ни один не потерян.")
NGX_HTTP_B24_X(WAIT_MANY, "<b>*</b> orders wait, none is lost.",
               "Ждут <b>*</b> заказов, ни один не потерян.")
NGX_HTTP_B24_X(OLDEST, "The oldest one waits", "Самый старый ждёт")
NGX_HTTP_B24_X(SECONDS, "s", "с")
NGX_HTTP_B24_X(MINUTES, "min", "мин")
NGX_HTTP_B24_X(HOURS, "h", "ч")
NGX_HTTP_B24_X(REASON, "Why:", "Причина:")
NGX_HTTP_B24_X(ADVICE, "What to do:", "Что делать:")
NGX_HTTP_B24_X(CONFIGURATION, "Configuration:", "Настройка:")
NGX_HTTP_B24_X(DATABASE, "The shop's database:", "База данных магазина:")
NGX_HTTP_B24_X(ALERT, "Who is to be told of what needs you does not hear of"
               " it:", "Тот, кого надо известить, когда нужны вы, не извещён:")
NGX_HTTP_B24_X(CHECKED, "checked", "проверено")

/* the queue */
NGX_HTTP_B24_X(UNREADABLE, "The queue cannot be read:",
               "Очередь не читается:")
NGX_HTTP_B24_X(IN_MEMORY, "New orders are held in memory.",
               "Новые заказы хранятся в памяти.")
NGX_HTTP_B24_X(UNWRITTEN, "The queue cannot be written, orders held in memory:",
               "В очередь нельзя записать, заказов в памяти:")
NGX_HTTP_B24_X(UNWRITTEN_DO, "They are tried again each second. What to do: the"
               " error log of nginx says what is the matter with the disk; put"
               " it right, and don't stop nginx before that.",
               "Запись повторяется каждую секунду. Что делать: журнал ошибок"
               " nginx говорит, что с диском; исправьте это и до тех пор не"
               " останавливайте nginx.")
NGX_HTTP_B24_X(LOST, "Orders that could not be kept since nginx was started:",
               "Заказов не удалось сохранить с запуска nginx:")
NGX_HTTP_B24_X(LOST_DO, "What to do: the error log of nginx says when and why;"
               " enter them by hand, as the shop has them.",
               "Что делать: журнал ошибок nginx говорит, когда и почему;"
               " введите их вручную, как они есть в магазине.")

/* lists */
NGX_HTTP_B24_X(NEEDS, "Need you", "Ждут вас")
NGX_HTTP_B24_X(NEEDS_MORE, "The first of them are here. All:",
               "Здесь первые из них. Все:")
NGX_HTTP_B24_X(LATEST, "Latest orders", "Последние заказы")
NGX_HTTP_B24_X(FILTERED, "Orders in the state", "Заказы в состоянии")
NGX_HTTP_B24_X(NONE_ELSE, "All of them are above.", "Все они выше.")
NGX_HTTP_B24_X(NONE, "No orders yet.", "Заказов пока нет.")
NGX_HTTP_B24_X(NONE_SUCH, "None.", "Таких нет.")
NGX_HTTP_B24_X(NONE_KNOWN, "Not to be read now.", "Сейчас их не прочитать.")
NGX_HTTP_B24_X(DEAL, "Deal", "Сделка")
NGX_HTTP_B24_X(CONTACT, "Contact", "Контакт")
NGX_HTTP_B24_X(COMPANY, "Company", "Компания")
NGX_HTTP_B24_X(ATTEMPTS, "Attempts", "Попыток")
NGX_HTTP_B24_X(UPDATED, "Updated", "Изменён")
NGX_HTTP_B24_X(RECORD, "Record", "Запись")
NGX_HTTP_B24_X(ORIGIN, "Shop", "Магазин")
NGX_HTTP_B24_X(RULE, "Read by the rules", "Прочитан по правилам")
NGX_HTTP_B24_X(TIMELINE, "What happened", "Что было")
NGX_HTTP_B24_X(TIMES, "times, until", "раз, до")
NGX_HTTP_B24_X(CAPTURED, "What was captured", "Что записано")
NGX_HTTP_B24_X(MASKED, "What is personal is hidden; <code>b24_status"
               " reveal;</code> shows it.", "Личное скрыто; <code>b24_status"
               " reveal;</code> показывает его.")
NGX_HTTP_B24_X(COMMANDS, "What was or would be sent",
               "Что отправлено или было бы отправлено")
NGX_HTTP_B24_X(SHOW, "Commands to Bitrix24", "Команды для Битрикс24")
NGX_HTTP_B24_X(GOODS, "Goods", "Товары")
NGX_HTTP_B24_X(CONFIGURED, "From the configuration", "Из конфигурации")
NGX_HTTP_B24_X(IN_DEAL, "deal", "сделка")
NGX_HTTP_B24_X(IN_CONTACT, "contact", "контакт")
NGX_HTTP_B24_X(IN_COMPANY, "company", "компания")

/* what a value was taken from, in the order of b24_part_e */
NGX_HTTP_B24_X(PART_NONE, "", "")
NGX_HTTP_B24_X(PART_RULE, "from the rules", "из правил")
NGX_HTTP_B24_X(PART_VARIABLE, "from a variable", "из переменной")
NGX_HTTP_B24_X(PART_REQUEST, "from the request", "из запроса")
NGX_HTTP_B24_X(PART_ANSWER, "from the answer", "из ответа")
NGX_HTTP_B24_X(PART_SESSION, "from the session", "из сессии")
NGX_HTTP_B24_X(PART_DATABASE, "from the shop's database",
               "из базы магазина")

/* the chart */
NGX_HTTP_B24_X(CHART, "The last 24 hours", "Последние 24 часа")
NGX_HTTP_B24_X(CHART_NOW, "now", "сейчас")
NGX_HTTP_B24_X(CHART_ACCEPTED, "accepted", "принято")
NGX_HTTP_B24_X(CHART_DELIVERED, "delivered", "доставлено")
NGX_HTTP_B24_X(CHART_WAITING, "wait at most", "ждали, не более")

/* what can be done */
NGX_HTTP_B24_X(DO_RETRY_ALL, "Retry what is parked", "Повторить отложенные")
NGX_HTTP_B24_X(RETRY_ALL_SAYS, "All parked orders of this shop are sent to"
               " Bitrix24 again, at once. Those that only you can decide about"
               " stay: each says why.", "Все отложенные заказы этого магазина"
               " сразу отправляются в Битрикс24 ещё раз. Остаются те, о"
               " которых решать вам: у каждого сказано почему.")
NGX_HTTP_B24_X(RETRY_ALL_IT, "Retry them", "Да, повторить")
NGX_HTTP_B24_X(PAUSE_SAYS, "Nothing of this shop goes to Bitrix24 until you"
               " resume. Orders wait, none is lost.", "Из этого магазина в"
               " Битрикс24 ничего не уходит, пока вы не возобновите доставку."
               " Заказы ждут, ни один не теряется.")
NGX_HTTP_B24_X(PAUSE_IT, "Pause them", "Да, приостановить")
NGX_HTTP_B24_X(DO_RESUME, "Resume deliveries", "Возобновить доставку")
NGX_HTTP_B24_X(DO_PAUSE, "Pause deliveries", "Приостановить доставку")
NGX_HTTP_B24_X(DO_CHECK, "Check the portal", "Проверить портал")
NGX_HTTP_B24_X(RETRY, "Retry", "Повторить")
NGX_HTTP_B24_X(RETRY_SAYS, "It is sent to Bitrix24 again, at once. There will"
               " be no second deal.", "Он сразу отправляется в Битрикс24 ещё"
               " раз. Второй сделки не будет.")
NGX_HTTP_B24_X(RETRY_IT, "Retry it", "Да, повторить")
NGX_HTTP_B24_X(SEND, "Send", "Отправить")
NGX_HTTP_B24_X(SEND_REUSED, "Its number was another order's: it becomes a deal"
               " of its own, with -2 or the next free number behind it.",
               "Его номер был у другого заказа: он станет отдельной сделкой, с"
               " -2 или следующим свободным номером в конце.")
NGX_HTTP_B24_X(SEND_SAYS, "Nobody has seen the shop accept it. Look there"
               " first: it becomes a deal.", "Никто не видел, что магазин его"
               " принял. Сначала посмотрите там: он станет сделкой.")
NGX_HTTP_B24_X(SEND_IT, "Send it", "Да, отправить")
NGX_HTTP_B24_X(DROP, "Drop", "Удалить")
NGX_HTTP_B24_X(DROP_SAYS, "It is not delivered, and what it holds is erased for"
               " good.", "Он не будет доставлен, и всё, что о нём записано,"
               " стирается навсегда.")
NGX_HTTP_B24_X(DROP_IT, "Drop it", "Да, удалить")

/* states of a portal, then of an order, in the order of b24_state_e */
NGX_HTTP_B24_X(PORTAL_OK, "ok", "работает")
NGX_HTTP_B24_X(PORTAL_THROTTLED, "throttled", "просит паузу")
NGX_HTTP_B24_X(PORTAL_RETRYING, "retrying", "сбой")
NGX_HTTP_B24_X(PORTAL_PAUSED, "paused", "пауза")
NGX_HTTP_B24_X(PORTAL_BLOCKED, "blocked", "отказывает")
NGX_HTTP_B24_X(PORTAL_DRY, "dry", "пробный")
