"""Word lists that the structure is recognised by. Lists only: what they mean is decided where they are used."""

# Labels of a colophon by role (see `imprint.ImprintRole`); an underscore stands for a space.
LABELS: dict[str, str] = {
    "responsible_editor": ("本期责任编辑 责任编辑 责编 本期责编 managing_editor responsible_editor"),
    "editor": ("编辑 本期编辑 执行编辑 本期执行编辑 文字编辑 编校 编者 编辑人员 editor editors edited_by issue_editor"),
    "chief_editor": (
        "主编 执行主编 本期主编 总编 总编辑 editor-in-chief editor_in_chief chief_editor executive_editor"
    ),
    "phone": (
        "本刊电话 联系人电话 办公室电话 "
        "电话 联系电话 编辑部电话 咨询电话 投稿电话 办公电话 电话号码 热线 热线电话 编辑部热线 联系方式 "
        "联络电话 連络电话 洽询电话 咨询热线 服务电话 投稿热线 "
        "联系我们 服务热线 监督电话 值班电话 "
        "tel tel. telephone phone editorial_office"
    ),
    "host": ("主办 主办单位 主办机构 主管主办 organizer organiser sponsor sponsored_by hosted_by organized_by"),
    "compiler": (
        "编印 编印单位 编辑单位 编制 编制单位 编 编发 编发单位 编写 编辑出版 编辑部门 主编单位 compiled_by produced_by"
    ),
    "publisher": ("出版 发行单位 出版单位 出版者 印发单位 publisher published_by issued_by"),
    "organiser": ("承办 承办单位 协办 协办单位"),
    "supervisor": ("主管 主管单位 主管部门"),
    "date": ("出版日期 印发日期 编印日期 日期 出刊日期 发布日期 印发时间 出版时间 date published publication_date"),
    "other": (
        "编辑部地址 办公地址 联系地址 单位地址 本刊地址 邮寄地址 联系邮箱 编辑部邮箱 本刊邮箱 来稿邮箱 "
        "副主编 副总编 编审 编委 编委会 编委会主任 主任 副主任 顾问 审核 审稿 审定 审校 核稿 终审 复审 初审 监制 "
        "策划 统筹 校对 校稿 排版 版式 设计 美编 美术编辑 摄影 签发 签发人 传真 地址 通讯地址 通信地址 社址 邮编 "
        "邮政编码 邮箱 电子邮箱 电子邮件 投稿邮箱 信箱 e-mail email mail 网址 网站 官网 微信 公众号 微信公众号 "
        "qq 联系人 投稿 报 送 发 报送 抄送 抄报 主送 分送 印送 发送 印数 印刷 印制 承印 发行 发行量 "
        "准印证 准印证号 内刊准印证 刊号 统一刊号 国内统一刊号 国内刊号 国际刊号 连续出版物号 "
        "赞助 支持单位 版权 开本 印张 定价 制作 制图 录入 打印 打字 印发 共印 "
        "责任校对 翻译 译者 供稿单位 订阅 订购 取消订阅 密级 编号 "
        "fax address website web proofreader proofreading proofread_by "
        "design layout printed_by circulation distribution contact issn photography translation to cc copy_to "
        "contributors editorial_board 发行人 社长 总监 总策划 出品 出品人 监印 承印单位 承制"
    ),
}
# Labels that also stand before a name without a colon: "编辑 李涛".
BARE_LABELS = (
    "责任编辑 责编 执行编辑 编辑 主编 副主编 执行主编 总编 副总编 编审 审核 审稿 审定 核稿 校对 签发 排版 美编 "
    "监制 策划 终审 复审 初审"
)
# Family names, simplified and traditional, of one character and of two.
SURNAMES = frozenset(
    "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏水窦章云苏潘葛奚范彭郎鲁韦昌马苗凤"
    "花方俞任袁柳酆鲍史唐费廉岑薛雷贺倪汤滕殷罗毕郝邬安常乐于时傅皮卞齐康伍余元卜顾孟平黄和穆萧尹姚邵湛汪祁毛禹狄"
    "米贝明臧计伏成戴谈宋茅庞熊纪舒屈项祝董梁杜阮蓝闵席季麻强贾路娄危江童颜郭梅盛林刁钟徐邱骆高夏蔡田樊胡凌霍虞万"
    "支柯管卢莫房裘缪干解应宗丁宣邓郁单杭洪包诸左石崔吉钮龚程邢裴陆荣翁荀羊惠甄曲家封芮储靳汲邴糜松井段富巫乌焦巴"
    "弓牧隗山谷车侯宓蓬全郗班仰秋仲伊宫宁仇栾暴甘厉戎祖武符刘景詹束龙叶幸司韶郜黎蓟薄印宿白怀蒲邰从鄂索咸籍赖卓蔺"
    "屠蒙池乔阴胥能苍双闻莘党翟谭贡劳逄姬申扶堵冉宰郦雍璩桑桂濮牛寿通边扈燕冀郏浦尚农温别庄晏柴瞿阎充慕连茹习宦艾"
    "鱼容向古易慎戈廖庾终暨居衡步都耿满弘匡国文寇广禄阙东欧殳沃利蔚越夔隆师巩聂晁勾敖融冷訾辛阚那简饶空曾毋沙乜养"
    "鞠须丰巢关蒯相查荆红游竺权逯盖益桓公肖岳付代覃佟苟闫涂陳趙孫吳鄭馮衛蔣韓楊許呂張嚴鄒竇雲蘇範魯韋馬鳳費賀湯羅"
    "畢鄔樂時齊顧黃蕭計談龐紀項藍閔賈婁顏鍾駱盧應單龔陸榮劉葉龍賴喬聞黨譚勞農溫連習關遊簡饒"
)
COMPOUND_SURNAMES = (
    "欧阳 上官 司马 诸葛 东方 皇甫 尉迟 公孙 令狐 慕容 司徒 夏侯 端木 南宫 独孤 轩辕 百里 呼延 闻人 宇文"
)
# Traditional forms of the characters in the words above and elsewhere, and the simplified ones, position by position.
TRADITIONAL = (
    "編輯電話錄導讀總責審對傳報發辦單號來轉記聯絡繫專線圖問頁內資執郵遞區簽級簡訊參閱學會協術處廳與員訂稿數據網關"
    "門撰寫營訪講華國開欄語摘標題點動態創業觀項構應據達為這實驗館團採攝圖片選載報導歡監製設計長經雙贊籌譯顧週釋註後檢測園縣鄉鎮節係併聞組織續課論"
)
SIMPLIFIED = (
    "编辑电话录导读总责审对传报发办单号来转记联络系专线图问页内资执邮递区签级简讯参阅学会协术处厅与员订稿数据网关"
    "门撰写营访讲华国开栏语摘标题点动态创业观项构应据达为这实验馆团采摄图片选载报导欢监制设计长经双赞筹译顾周释注后检测园县乡镇节系并闻组织续课论"
)
# First halves of a word after which English keeps the hyphen, line end or not.
KEPT_PREFIXES = (
    "all anti co cross double east eight five four full half high ill large long low mid multi near nine non "
    "north off on one open over post pre pro quasi real self semi seven short single six small so south "
    "state sub ten third three top two ultra under up west well wide world year"
)
# Words that no English title ends with.
NEVER_LAST = (
    "a an and are as at be but by for from had has have his her in is its of on or our that the their these this to "
    "was were which who will with"
)
# Words of headings that stand right under a title, where else a writer's name does.
HEADING_WORDS = (
    "introduction background key finding findings summary overview result results method methods conclusion "
    "conclusions abstract highlights update updates report reports news events about what how why who when where new "
    "in the of and for to from by on at with our your its first next year annual main point points facts figures "
    "question questions answer answers case study part section chapter notes references further reading"
)
