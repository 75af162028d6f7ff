//! The phrases of the results page.

web::phrases! {
    pub(crate) struct Phrases:
    description:
        "The votes as they are counted, live.", "Los votos según se cuentan, en directo.",
        "Os votos segundo se contan, en directo.", "Голоса по мере подсчёта, в прямом эфире.";
    results: "Results", "Resultados", "Resultados", "Результаты";
    live: "Live", "En directo", "En directo", "В прямом эфире";
    as_of: "As of {time}", "Últimos datos: {time}", "Últimos datos: {time}", "Данные на {time}";
    away:
        "As of {time}: the database is away", "Últimos datos: {time}. La base de datos no responde",
        "Últimos datos: {time}. A base de datos non responde", "Данные на {time}. База данных недоступна";
    reconnecting:
        "As of {time}: reconnecting …", "Últimos datos: {time}. Reconectando …",
        "Últimos datos: {time}. Reconectando …", "Данные на {time}. Переподключение …";
    lost: "Reconnecting …", "Reconectando …", "Reconectando …", "Переподключение …";
    never_answered:
        "The database has not answered yet.", "La base de datos aún no ha respondido.",
        "A base de datos aínda non respondeu.", "База данных ещё не ответила.";
    votes: "{n} vote|{n} votes", "{n} voto|{n} votos", "{n} voto|{n} votos", "{n} голос|{n} голоса|{n} голосов";
    no_votes: "No votes yet.", "Todavía no hay votos.", "Aínda non hai votos.", "Голосов пока нет.";
    leads:
        "{label} leads by {n} vote.|{label} leads by {n} votes.",
        "{label} va por delante por {n} voto.|{label} va por delante por {n} votos.",
        "{label} vai por diante por {n} voto.|{label} vai por diante por {n} votos.",
        "{label} впереди на {n} голос.|{label} впереди на {n} голоса.|{label} впереди на {n} голосов.";
    tie:
        "A tie for first place: {labels}.", "Empate en cabeza: {labels}.",
        "Empate no primeiro posto: {labels}.", "Первое место делят: {labels}.";
    wide_tie:
        "A tie for first place: {n} option.|A tie for first place: {n} options.",
        "Empate en cabeza: {n} opción.|Empate en cabeza: {n} opciones.",
        "Empate no primeiro posto: {n} opción.|Empate no primeiro posto: {n} opcións.",
        "Первое место делят: {n} вариант.|Первое место делят: {n} варианта.|Первое место делят: {n} вариантов.";
    pace:
        "Votes counted per second, in the last {minutes} minutes", "Votos contados por segundo, en los últimos {minutes} minutos",
        "Votos contados por segundo, nos últimos {minutes} minutos", "Подсчитано голосов в секунду за последние {minutes} мин";
    pace_now:
        "now {now}, at most {most}", "ahora {now}, como máximo {most}",
        "agora {now}, como máximo {most}", "сейчас {now}, максимум {most}";
    vote: "Vote", "Votar", "Votar", "Голосовать";
    scan:
        "Scan to vote", "Escanea para votar", "Escanea para votar", "Наведите камеру, чтобы проголосовать";
    enlarge: "Show large", "Ver en grande", "Ver en grande", "Показать крупно";
    close: "Close", "Cerrar", "Pechar", "Закрыть";
    phones:
        "Phones cannot open this address. Open this page at the machine's own address (or set VOTE_URL), and a QR code appears here.",
        "Los móviles no pueden abrir esta dirección. Abre esta página con la dirección de la máquina (o define VOTE_URL) y aquí saldrá un código QR.",
        "Os móbiles non poden abrir este enderezo. Abre esta páxina co enderezo da máquina (ou define VOTE_URL) e aquí sairá un código QR.",
        "Телефоны не откроют этот адрес. Откройте страницу по адресу самой машины (или задайте VOTE_URL), и здесь появится QR-код.";
    phones_embedded:
        "Phones cannot open this address. Start like this, then open this page at the machine's own address: a QR code appears here.",
        "Los móviles no pueden abrir esta dirección. Arranca así y abre esta página con la dirección de la máquina: aquí saldrá un código QR.",
        "Os móbiles non poden abrir este enderezo. Arranca así e abre esta páxina co enderezo da máquina: aquí sairá un código QR.",
        "Телефоны не откроют этот адрес. Запустите так и откройте страницу по адресу самой машины: здесь появится QR-код.";
    presenter: "Presenter view", "Vista de proyector", "Vista de proxector", "Режим проектора";
    leave: "Back to the normal view", "Volver a la vista normal", "Volver á vista normal", "Обычный вид";
    full_screen: "Full screen", "Pantalla completa", "Pantalla completa", "Во весь экран";
    refreshes:
        "This page refreshes itself every {seconds} seconds.", "Esta página se actualiza sola cada {seconds} segundos.",
        "Esta páxina actualízase soa cada {seconds} segundos.", "Страница обновляется сама каждые {seconds} секунд.";
    no_page: "Not a page", "No es una página", "Non é unha páxina", "Это не страница";
    no_socket:
        "Pages and programs connect here by WebSocket to follow the results; there is nothing to look at.",
        "Aquí se conectan por WebSocket las páginas y programas que siguen los resultados; no hay nada que ver.",
        "Aquí conéctanse por WebSocket as páxinas e programas que seguen os resultados; non hai nada que ver.",
        "Сюда по WebSocket подключаются страницы и программы, которые следят за результатами; смотреть не на что.";
}
