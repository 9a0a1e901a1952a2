import { defineWords } from './words.ts';

/** What a live picture says of itself. */
export const playerWords = defineWords({
  zh: {
    opening: '正在连接摄像机…',
    waiting: '画面中断，正在重新连接',
    refused: '无法显示画面',
    paused: '已暂停',
    transcoded: '已转码',
    transcodedHelp: (codec: string) => `摄像机发送 ${codec}，本浏览器不支持，已转码为 H.264（最高 720p）`,
    pictures: '每秒一张图片',
    picturesHelp: '浏览器不支持 H.265，转码名额已满，只能每秒显示一张图片',
    masked: '隐私遮挡',
    maskedHelp: '画面中有您无权查看的部分：已在本机遮挡后发送',
    maskedPicturesHelp: '画面中有您无权查看的部分，转码名额已满，只能每秒显示一张图片',
    picture: (name: string) => `${name} 实时画面`,
    lag: (ms: string) => `落后 ${ms} ms`,
    rate: (fps: string) => `${fps} 帧/秒`,
    firstPicture: (ms: string) => `首帧 ${ms} ms`,
    password: '摄像机拒绝了用户名或密码：请检查该设备的密码',
    missing: '摄像机没有这个码流：请检查摄像机的视频设置',
    busy: '摄像机太忙：同时观看的人太多，或正在启动',
    codec: '本浏览器不能播放这种视频，转码名额也已用完',
    full: '转码名额已用完：请先关闭一些画面',
    noFfmpeg: '本机没有安装 ffmpeg：请运行 apt install ffmpeg',
    oldFfmpeg: '本机的 ffmpeg 太旧，不能连接网络摄像机：请安装 5 以上版本',
    unreachable: '连不上摄像机的视频：请检查网络和供电',
    noAddress: '摄像机还没有报告视频地址',
    stalled: '摄像机不再发送画面',
    ended: '摄像机结束了视频',
    media: '视频服务正在启动',
    lost: '与校园主机的连接中断',
    tooSlow: '网络太慢，跟不上这路视频',
    signedOut: '登录已失效：请重新登录',
    forbidden: '您没有观看实时画面的权限',
    unknown: '没有这台摄像机，或不在您的区域',
    tooMany: '打开的实时画面太多：请先关闭一些',
    unsupported: '本浏览器不能播放实时视频：请更换浏览器',
  },
  en: {
    opening: 'Connecting to the camera…',
    waiting: 'No picture: connecting again',
    refused: 'This picture cannot be shown',
    paused: 'Paused',
    transcoded: 'Recoded',
    transcodedHelp: (codec: string) =>
      `The camera sends ${codec}, which this browser cannot show: recoded to H.264, at most 720p`,
    pictures: 'One picture a second',
    picturesHelp:
      'This browser cannot show H.265, and as many streams are recoded as may be: one picture a second instead',
    masked: 'Covered',
    maskedHelp: 'You may not see all of this picture: it is covered before it leaves the campus box',
    maskedPicturesHelp:
      'You may not see all of this picture, and as many streams are recoded as may be: one picture a second instead',
    picture: (name: string) => `${name}, live`,
    lag: (ms: string) => `${ms} ms behind`,
    rate: (fps: string) => `${fps} pictures/s`,
    firstPicture: (ms: string) => `first after ${ms} ms`,
    password: 'The camera refuses user or password: check the password of this device',
    missing: 'The camera has no such stream: check its video settings',
    busy: 'The camera is busy: too many watch it, or it is starting',
    codec: 'This browser cannot play this video, and as many streams are recoded as may be',
    full: 'As many streams are recoded as may be: close some pictures',
    noFfmpeg: 'There is no ffmpeg on this box: apt install ffmpeg',
    oldFfmpeg: 'The ffmpeg of this box is too old to face a network: install version 5 or later',
    unreachable: 'The video of the camera cannot be reached: check network and power',
    noAddress: 'The camera has not said yet where its video is',
    stalled: 'The camera sends no more pictures',
    ended: 'The camera ended the video',
    media: 'Video is being started',
    lost: 'The connection to the campus box is lost',
    tooSlow: 'This network is too slow for this stream',
    signedOut: 'You are signed out: sign in again',
    forbidden: 'You have no right to watch live',
    unknown: 'There is no such camera, or it is not in your zones',
    tooMany: 'Too many live pictures are open: close some',
    unsupported: 'This browser cannot play live video: use another one',
  },
});

type PlayerWords = (typeof playerWords)['zh'];

const byReason: Readonly<Record<string, keyof PlayerWords>> = {
  password: 'password',
  missing: 'missing',
  busy: 'busy',
  codec: 'codec',
  full: 'full',
  'no-ffmpeg': 'noFfmpeg',
  'old-ffmpeg': 'oldFfmpeg',
  unreachable: 'unreachable',
  'no-address': 'noAddress',
  stalled: 'stalled',
  ended: 'ended',
  media: 'media',
  lost: 'lost',
  'too-slow': 'tooSlow',
  'signed-out': 'signedOut',
  forbidden: 'forbidden',
  unknown: 'unknown',
  'too-many': 'tooMany',
  unsupported: 'unsupported',
};

/** Why there is no picture, for people; '' where no reason is known. */
export function reasonOfPlayer(reason: string, say: PlayerWords): string {
  const key = byReason[reason];
  const word = key === undefined ? '' : say[key];
  return typeof word === 'string' ? word : '';
}
